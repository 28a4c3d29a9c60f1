import { concatBytes } from '../../core/bytes.ts'
import { ext } from '../pki/certificate.ts'
import { integer, octets, oid, raw, seq, tagged, utf8 } from '../pki/der.ts'

const SHA384 = '2.16.840.1.101.3.4.2.2'

/** Extensions that carry the firmware identity of the attestation key's layer. */
export const FWID_OID = { compositeDeviceId: '2.23.133.5.4.1', diceTcbInfo: '2.23.133.5.4.1.1' } as const

const digestOf = (fwid: Uint8Array): Uint8Array => seq(oid(SHA384), octets(fwid))

/** TCG composite device identity (Hopper, LS10): version, public key of the layer below, firmware digest (48 bytes). */
export function compositeDeviceId(identitySpki: Uint8Array, fwid: Uint8Array): Uint8Array {
  return ext.custom(FWID_OID.compositeDeviceId, seq(integer(1), identitySpki, digestOf(fwid)))
}

/** DICE TcbInfo (Blackwell): the first of two firmware digests counts, the second is zero. */
export function diceTcbInfo(fwid: Uint8Array): Uint8Array {
  const implicit = (tag: number, content: Uint8Array) => raw(0x80 | tag, content)
  const text = (value: string) => new TextEncoder().encode(value)
  const fwids = raw(0xa6, concatBytes(digestOf(fwid), digestOf(new Uint8Array(48))))
  return ext.custom(
    FWID_OID.diceTcbInfo,
    seq(
      implicit(0, text('NVIDIA')),
      implicit(1, text('GB100 A01 GSP')),
      implicit(2, text('01')),
      implicit(3, Uint8Array.of(1)),
      implicit(4, Uint8Array.of(0)),
      implicit(5, Uint8Array.of(0)),
      fwids,
      implicit(7, Uint8Array.of(0, 0x80, 0, 0, 1)),
      implicit(8, Uint8Array.of(0xc0)),
      implicit(9, Uint8Array.of(0)),
    ),
  )
}

/** Subject alternative name with DMTF device information, e.g. `NVIDIA:GH100:48B02D51C9C1070B`. */
export function dmtfDeviceInfo(info: string): Uint8Array {
  const otherName = raw(0xa0, concatBytes(oid('1.3.6.1.4.1.412.274.1'), tagged(0, utf8(info))))
  return ext.custom('2.5.29.17', seq(otherName))
}
