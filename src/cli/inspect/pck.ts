import { PCK_EXTENSION_OID, pckExtension } from '../../attestation/dcap/pck-extension.ts'
import { toHex } from '../../core/encodings.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { CertificateView } from './model.ts'

const SGX_TYPES = ['Standard', 'Scalable', 'Scalable with integrity'] as const

/** Platform, family and security versions that Intel certifies in a PCK certificate; empty for every other certificate. */
export function pckCertifies(certificate: Certificate): CertificateView['certifies'] {
  if (!certificate.extensions.has(PCK_EXTENSION_OID)) return []
  const extension = pckExtension(certificate, 'SGX')
  if (!extension.ok) {
    const [{ path, expected = '', actual = 'another' }] = extension.faults
    return [{ what: 'SGX extension', value: `unreadable at ${path}: expected ${expected}, found ${actual}` }]
  }
  const { ppid, platformInstanceId, fmspc, pceId, pceSvn, cpuSvn, components, sgxType, ...flags } = extension.value
  const flag = (what: string, value: boolean | undefined) =>
    value === undefined ? [] : [{ what, value: value ? 'yes' : 'no' }]
  return [
    { what: 'FMSPC', value: toHex(fmspc) },
    { what: 'PPID', value: toHex(ppid) },
    ...(platformInstanceId === undefined ? [] : [{ what: 'platform instance', value: toHex(platformInstanceId) }]),
    { what: 'components', value: components.join(' ') },
    { what: 'PCESVN', value: `${pceSvn}` },
    { what: 'PCEID', value: toHex(pceId) },
    { what: 'CPUSVN', value: toHex(cpuSvn) },
    { what: 'SGX type', value: SGX_TYPES[sgxType] },
    ...flag('dynamic platform', flags.dynamicPlatform),
    ...flag('cached keys', flags.cachedKeys),
    ...flag('SMT', flags.smtEnabled),
  ]
}
