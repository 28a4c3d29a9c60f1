import { equalBytes, latin1 } from '../bytes.ts'
import { type Der, DerSequence, oidText, TAG } from '../der.ts'
import { printable } from '../outcome.ts'

/** A distinguished name. Names are compared byte for byte: vendors copy the issuer's subject, and anything else is not theirs. */
export interface Name {
  readonly der: Uint8Array
  readonly attributes: readonly { readonly oid: string; readonly text: string }[]
}

const LABEL: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
}

export const sameName = (a: Name, b: Name): boolean => equalBytes(a.der, b.der)

/** Value of the one attribute of that type; undefined where there is none, or more than one. */
export function attribute(name: Name, oid: string): string | undefined {
  const values = name.attributes.filter((a) => a.oid === oid)
  return values.length === 1 ? values[0]?.text : undefined
}

export const commonName = (name: Name): string | undefined => attribute(name, '2.5.4.3')
/** X.520 serialNumber attribute: NVIDIA's device identity. Not the certificate's serial. */
export const serialNumberAttribute = (name: Name): string | undefined => attribute(name, '2.5.4.5')

/** For people: `CN=…, O=…`, escaped. */
export const nameText = (name: Name): string =>
  name.attributes.map((a) => `${LABEL[a.oid] ?? a.oid}=${printable(a.text)}`).join(', ')

const STRINGS: readonly number[] = [TAG.utf8String, TAG.printableString, TAG.ia5String]

export function decodeName(der: Der, malformed: (what: string) => never): Name {
  const rdns = new DerSequence(der, TAG.sequence, malformed).rest()
  const attributes = rdns.flatMap((rdn) =>
    new DerSequence(rdn, TAG.set, malformed).rest().map((pair) => {
      const fields = new DerSequence(pair, TAG.sequence, malformed)
      const oid = oidText(fields.next('attribute type', TAG.oid))
      const value = fields.next('attribute value')
      fields.end('attribute')
      return { oid, text: STRINGS.includes(value.tag) ? decodeText(value.content) : '' }
    }),
  )
  return { der: der.bytes, attributes }
}

/** Invalid UTF-8 becomes U+FFFD: such a name matches nothing, and is printed escaped. A byte order mark stays in the text. */
const decodeText = (bytes: Uint8Array): string =>
  bytes.every((byte) => byte < 0x80) ? latin1(bytes) : UTF8.decode(bytes)
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true })
