import { bits, bool, ia5, integer, octets, oid, raw, seq, tagged } from './der.ts'

const KEY_USAGE_BITS = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const

export type KeyUsageBit = (typeof KEY_USAGE_BITS)[number]

/** Purposes often wanted in an extended key usage. */
export const PURPOSE = { ocspSigning: '1.3.6.1.5.5.7.3.9', clientAuth: '1.3.6.1.5.5.7.3.2' } as const

/** Extension with any value. `valueDer` goes into the OCTET STRING as it is. */
export function extension(id: string, valueDer: Uint8Array, critical = false): Uint8Array {
  return critical ? seq(oid(id), bool(true), octets(valueDer)) : seq(oid(id), octets(valueDer))
}

/** Writers of certificate and CRL extensions (RFC 5280 §4.2, §5.2), each the DER of one Extension. */
export const ext = {
  basicConstraints(ca: boolean, pathLen?: number, critical = true): Uint8Array {
    const members = [...(ca ? [bool(true)] : []), ...(pathLen === undefined ? [] : [integer(pathLen)])]
    return extension('2.5.29.19', seq(...members), critical)
  },
  keyUsage(usage: readonly KeyUsageBit[], critical = true): Uint8Array {
    return extension('2.5.29.15', namedBits(usage.map((bit) => KEY_USAGE_BITS.indexOf(bit))), critical)
  },
  extKeyUsage(purposes: readonly string[], critical = false): Uint8Array {
    return extension('2.5.29.37', seq(...purposes.map(oid)), critical)
  },
  subjectKeyId(id: Uint8Array): Uint8Array {
    return extension('2.5.29.14', octets(id))
  },
  authorityKeyId(id: Uint8Array): Uint8Array {
    return extension('2.5.29.35', seq(raw(0x80, id)))
  },
  crlDistributionPoint(url: string): Uint8Array {
    return extension('2.5.29.31', seq(seq(tagged(0, tagged(0, uri(url))))))
  },
  authorityInfoAccess(ocspUrl: string): Uint8Array {
    return extension('1.3.6.1.5.5.7.1.1', seq(seq(oid('1.3.6.1.5.5.7.48.1'), uri(ocspUrl))))
  },
  crlNumber(value: number): Uint8Array {
    return extension('2.5.29.20', integer(value))
  },
  /** Marks a CRL as a delta to the complete one of that number. */
  deltaCrlIndicator(baseNumber: number): Uint8Array {
    return extension('2.5.29.27', integer(baseNumber), true)
  },
  custom: extension,
} as const

/** GeneralName of the URI kind. */
const uri = (url: string): Uint8Array => tagged(6, ia5(url), { explicit: false })

/** Named BIT STRING without trailing zero bits (X.690 §11.2.2). */
function namedBits(positions: readonly number[]): Uint8Array {
  const highest = Math.max(-1, ...positions)
  const content = new Uint8Array(Math.floor(highest / 8) + 1)
  for (const position of positions) content[position >> 3] = (content[position >> 3] ?? 0) | (0x80 >> (position & 7))
  return bits(content, highest < 0 ? 0 : 7 - (highest & 7))
}
