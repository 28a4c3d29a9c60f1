import { seededBytes } from '../nvidia/bytes.ts'
import { type IssuedCertificate, issue } from '../nvidia/issue.ts'
import { bool, integer, seq, tagged, utf8 } from '../pki/der.ts'
import { ext, type KeyUsageBit } from '../pki/extensions.ts'
import { ecKey, type TestKey } from '../pki/keys.ts'
import { memo } from '../pki/memo.ts'
import { name } from '../pki/names.ts'

/** Purposes of a TPM's keys (TCG). */
export const TPM_PURPOSE = { ek: '2.23.133.8.1', ak: '2.23.133.8.3' } as const
const GCE_INSTANCE = '1.3.6.1.4.1.11129.2.1.21'

/** A maker of TPMs: root and the authority that issues certificates of keys. */
export interface TpmMaker {
  readonly root: IssuedCertificate
  readonly authority: IssuedCertificate
}

/** What a certificate of a TPM's key says. Left out, it is as makers write it. */
export interface TpmCertificateForm {
  readonly purpose?: string | null
  readonly keyUsage?: readonly KeyUsageBit[]
  /** the alternative name; null leaves it out */
  readonly san?: { readonly critical?: boolean; readonly manufacturer?: string; readonly model?: string | null } | null
  /** Google's extension; left out unless given */
  readonly instance?: { readonly projectId?: string; readonly isProduction?: boolean }
  readonly ca?: boolean
  readonly notAfter?: string
  readonly serial?: number
}

const FROM = '2025-01-01T00:00:00Z'
const UNTIL = '2045-01-01T00:00:00Z'
const makers = memo<TpmMaker>()

/** The maker of a seed; another seed is a foreign maker of the same names. */
export const tpmMaker = (seed: string): TpmMaker =>
  makers(seed, () => {
    const of = (role: string, label: string, issuer?: IssuedCertificate): IssuedCertificate =>
      issue({
        subject: name([['CN', `Test TPM Maker ${role}`]]),
        serial: seededBytes(seed, `tpm/${label}`, 16),
        key: ecKey('P-384', `tpm/${seed}/${label}`),
        ...(issuer === undefined ? {} : { issuer }),
        notBefore: FROM,
        notAfter: UNTIL,
        extensions: [ext.basicConstraints(true), ext.keyUsage(['keyCertSign', 'cRLSign'])],
      })
    const root = of('Root', 'root')
    return { root, authority: of('Authority', 'authority', root) }
  })

/** GeneralName of a directory, in a list of one. */
const directory = (attributes: Parameters<typeof name>[0]): Uint8Array => seq(tagged(4, name(attributes)))

function alternativeName(san: TpmCertificateForm['san']): readonly Uint8Array[] {
  if (san === null) return []
  const { critical = true, manufacturer = 'id:54455354', model = 'test TPM' } = san ?? {}
  const value = directory([
    ['2.23.133.2.1', manufacturer],
    ...(model === null ? [] : ([['2.23.133.2.2', model]] as const)),
    ['2.23.133.2.3', 'id:00010002'],
  ])
  return [ext.custom('2.5.29.17', value, critical)]
}

function gceInstance({ projectId = 'test-project', isProduction = true }: NonNullable<TpmCertificateForm['instance']>) {
  const security = seq(tagged(0, integer(0)), tagged(1, bool(isProduction)))
  const value = seq(
    ...[utf8('us-central1-a'), integer(123456), utf8(projectId), integer(987654321), utf8('vm'), tagged(0, security)],
  )
  return ext.custom(GCE_INSTANCE, value)
}

/** A certificate under the maker for a key of a TPM: its attestation key unless the form says otherwise. */
export function tpmKeyCertificate(maker: TpmMaker, key: TestKey, form: TpmCertificateForm = {}): Uint8Array {
  const { purpose = TPM_PURPOSE.ak, keyUsage = ['digitalSignature'], san, instance, ca = false } = form
  return issue({
    subject: seq(),
    serial: integerBytes(form.serial ?? 0x4711),
    key,
    issuer: maker.authority,
    notBefore: FROM,
    notAfter: form.notAfter ?? UNTIL,
    extensions: [
      ext.basicConstraints(ca),
      ext.keyUsage(keyUsage),
      ...(purpose === null ? [] : [ext.extKeyUsage([purpose])]),
      ...alternativeName(san),
      ...(instance === undefined ? [] : [gceInstance(instance)]),
    ],
  }).der
}

const integerBytes = (value: number): Uint8Array => Uint8Array.of((value >> 8) & 0xff, value & 0xff)
