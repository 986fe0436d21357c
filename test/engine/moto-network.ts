/** A network to put a load balancer in: moto's account starts with the default one, as a fresh AWS account does. */

/** moto routes by the service and region in the signature's scope, and checks nothing else of it. */
async function describe(endpoint: string, region: string, action: string): Promise<string> {
  const response = await fetch(endpoint, {
    method: "POST",
    headers: {
      "content-type": "application/x-www-form-urlencoded",
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/ec2/aws4_request, SignedHeaders=host, Signature=0`,
    },
    body: new URLSearchParams({ Action: action, Version: "2016-11-15" }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${text}`);
  return text;
}

export async function motoNetwork(endpoint: string, region: string): Promise<{ vpcId: string; subnetIds: string[] }> {
  const vpcs = await describe(endpoint, region, "DescribeVpcs");
  const subnets = await describe(endpoint, region, "DescribeSubnets");
  const vpcId = /<vpcId>([^<]+)<\/vpcId>/.exec(vpcs)?.[1];
  const subnetIds = [...subnets.matchAll(/<subnetId>([^<]+)<\/subnetId>/g)].flatMap((match) => match[1] ?? []);
  if (!vpcId || subnetIds.length < 2) throw new Error("moto has no default network");
  return { vpcId, subnetIds };
}
