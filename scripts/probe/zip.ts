/** One file in a ZIP archive, stored as it is: all that a Lambda function of ten lines needs. Source: PKWARE APPNOTE 6.3.9, 4.3. */
import { crc32 } from "node:zlib";

/** 1980-01-01, the first date that the format knows. */
const epoch = 0x0021;

/** A ZIP with one file. @param name ASCII */
export function zipOf(name: string, text: string): Buffer {
  const data = Buffer.from(text, "utf8");
  const fileName = Buffer.from(name, "ascii");
  // Version 2.0, no flags, stored; time, date; checksum; both sizes; length of the name, no extra field.
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(epoch, 8);
  common.writeUInt32LE(crc32(data), 10);
  common.writeUInt32LE(data.length, 14);
  common.writeUInt32LE(data.length, 18);
  common.writeUInt16LE(fileName.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, fileName, data]);
  // Made on Unix; no comment, one disk; a regular file that everybody may read; at offset 0.
  const rest = Buffer.alloc(14);
  rest.writeUInt32LE(((0o100644 << 16) >>> 0) as number, 6);
  const madeBy = Buffer.from([20, 3]);
  const central = Buffer.concat([Buffer.from("PK\x01\x02", "latin1"), madeBy, common, rest, fileName]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06", 0, "latin1");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, central, end]);
}
