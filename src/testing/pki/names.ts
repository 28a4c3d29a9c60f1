import { ia5, oid, printable, seq, set, utf8 } from './der.ts'

const ATTRIBUTE_OID: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  serialNumber: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
}

const STRINGS = { utf8, printable, ia5 } as const

/** Attribute type (short name or dotted identifier), value, and the string type where it is not the usual one. */
export type NameAttribute = readonly [type: string, value: string, string?: keyof typeof STRINGS]

/**
 * DER Name with one relative distinguished name per attribute, in the order given. Country and serial number are
 * PrintableString, the rest UTF8String, unless the attribute says otherwise.
 */
export function name(attributes: readonly NameAttribute[]): Uint8Array {
  return seq(
    ...attributes.map(([type, value, string]) => {
      const usual = type === 'C' || type === 'serialNumber' ? 'printable' : 'utf8'
      return set(seq(oid(ATTRIBUTE_OID[type] ?? type), STRINGS[string ?? usual](value)))
    }),
  )
}

/** Name as AMD orders it: OU, C, L, ST, O, CN (AMD 57230). */
export const amdName = (commonName: string): Uint8Array =>
  name([
    ['OU', 'Engineering'],
    ['C', 'US'],
    ['L', 'Santa Clara'],
    ['ST', 'CA'],
    ['O', 'Advanced Micro Devices'],
    ['CN', commonName],
  ])
