/**
 * Properties that are made to hold a secret: there is no other way to give the service its password or key. Lists of AWS resource types
 * and of their properties, list positions left out; read from the type declarations of @pulumi/aws 7, 2026-11.
 */

/** By resource type, without the provider's `aws:`. */
const ofTypes: Readonly<Record<string, readonly string[]>> = {
  "acm/certificate:Certificate": ["privateKey", "privateKeyWo"],
  "apigateway/domainName:DomainName": ["certificatePrivateKey"],
  "cloudwatch/eventConnection:EventConnection": ["authParameters"],
  "cognito/identityProvider:IdentityProvider": ["providerDetails.client_secret"],
  "cognito/user:User": ["password", "temporaryPassword"],
  "datasync/locationFsxWindows:LocationFsxWindows": ["password"],
  "datasync/locationObjectStorage:LocationObjectStorage": ["secretKey"],
  "datasync/locationSmb:LocationSmb": ["password"],
  "directoryservice/directory:Directory": ["password"],
  "directoryservice/radiusSettings:RadiusSettings": ["sharedSecret"],
  "directoryservice/trust:Trust": ["trustPassword"],
  "dms/endpoint:Endpoint": ["password"],
  "docdb/cluster:Cluster": ["masterPassword", "masterPasswordWo"],
  "docdb/elasticCluster:ElasticCluster": ["adminUserPassword"],
  "elasticache/replicationGroup:ReplicationGroup": ["authToken", "authTokenWo"],
  "elasticache/user:User": ["passwords", "passwordsWo", "authenticationMode.passwords"],
  "fsx/ontapFileSystem:OntapFileSystem": ["fsxAdminPassword"],
  "fsx/ontapStorageVirtualMachine:OntapStorageVirtualMachine": [
    "svmAdminPassword",
    "activeDirectoryConfiguration.selfManagedActiveDirectoryConfiguration.password",
  ],
  "fsx/windowsFileSystem:WindowsFileSystem": [
    "selfManagedActiveDirectory.password",
    "selfManagedActiveDirectory.passwordWo",
  ],
  "glue/connection:Connection": ["connectionProperties.PASSWORD"],
  "iam/serverCertificate:ServerCertificate": ["privateKey"],
  "kms/customKeyStore:CustomKeyStore": ["keyStorePassword"],
  "lb/listener:Listener": ["defaultActions.authenticateOidc.clientSecret"],
  "lb/listenerRule:ListenerRule": ["actions.authenticateOidc.clientSecret"],
  "alb/listener:Listener": ["defaultActions.authenticateOidc.clientSecret"],
  "alb/listenerRule:ListenerRule": ["actions.authenticateOidc.clientSecret"],
  "lightsail/database:Database": ["masterPassword"],
  "memorydb/user:User": ["authenticationMode.passwords"],
  "mq/broker:Broker": ["users.password", "ldapServerMetadata.serviceAccountPassword"],
  "opensearch/domain:Domain": ["advancedSecurityOptions.masterUserOptions.masterUserPassword"],
  "elasticsearch/domain:Domain": ["advancedSecurityOptions.masterUserOptions.masterUserPassword"],
  "quicksight/dataSource:DataSource": ["credentials"],
  "rds/cluster:Cluster": ["masterPassword", "masterPasswordWo"],
  "rds/instance:Instance": ["password", "passwordWo"],
  "redshift/cluster:Cluster": ["masterPassword", "masterPasswordWo"],
  "redshift/hsmConfiguration:HsmConfiguration": ["hsmPartitionPassword"],
  "redshiftserverless/namespace:Namespace": ["adminUserPassword", "adminUserPasswordWo"],
  "secretsmanager/secretVersion:SecretVersion": ["secretString", "secretStringWo", "secretBinary"],
  // PagerDuty's key is part of the address that SNS delivers to; there is no other way to subscribe it.
  "sns/topicSubscription:TopicSubscription": ["endpoint"],
  // Where the type is SecureString; `secrets-are-not-plain.ts` looks at the others.
  "ssm/parameter:Parameter": ["value", "valueWo"],
  "storagegateway/fileSystemAssociation:FileSystemAssociation": ["password"],
  "storagegateway/gateway:Gateway": ["smbGuestPassword", "smbActiveDirectorySettings.password"],
  "timestreaminfluxdb/dbCluster:DbCluster": ["password"],
  "timestreaminfluxdb/dbInstance:DbInstance": ["password"],
  "transfer/certificate:Certificate": ["privateKey"],
};

/** The properties of a type that are made for secrets. */
export function madeForSecrets(type: string): readonly string[] {
  return ofTypes[type.replace(/^aws:/, "")] ?? [];
}

/** What of a setting `<type>:<property>` or `<property>` a resource of this type has to do with: properties. */
export function exceptedProperties(entries: readonly string[], type: string): string[] {
  return entries.flatMap((entry) => {
    const end = entry.lastIndexOf(":");
    return end < 0 || entry.slice(0, end) === type ? [entry.slice(end + 1)] : [];
  });
}
