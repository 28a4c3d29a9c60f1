import { decodeCcaToken } from '../../attestation/cca/index.ts'
import type { EvidenceItem } from '../../attestation/evidence.ts'
import { decodeNitroDocument } from '../../attestation/nitro/index.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { type Outcome, ok } from '../../core/outcome.ts'
import { LAST_SECOND, toRfc3339 } from '../../core/time.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { FieldView } from './model.ts'
import { problemOf } from './problems.ts'
import type { ReportView } from './snp.ts'

/** Byte strings of a decoded structure are views into it, so each knows where it lies. */
export function field(
  within: Uint8Array,
  name: string,
  raw: Uint8Array | undefined,
  meaning = '',
): readonly FieldView[] {
  if (raw === undefined) return []
  return [
    { name, offset: raw.byteOffset - within.byteOffset, sizeBytes: raw.length, hex: toHex(raw), meaning, parts: [] },
  ]
}

/** A Nitro document: its PCRs, and what the enclave put into it. */
export function inspectNitro(bytes: Uint8Array): ReportView {
  const outcome = decodeNitroDocument(bytes, 'document')
  if (!outcome.ok) return { sections: [], problems: outcome.faults.map(problemOf) }
  const { moduleId, timestamp, pcrs, publicKey, userData, nonce } = outcome.value.value
  const fields = [
    ...[...pcrs].flatMap(([index, pcr]) => field(bytes, `pcrs[${index}]`, pcr)),
    ...field(bytes, 'public_key', publicKey),
    ...field(bytes, 'user_data', userData),
    ...field(bytes, 'nonce', nonce),
  ]
  const seconds = Math.floor(timestamp / 1000)
  const made = seconds <= LAST_SECOND ? toRfc3339(seconds) : `${timestamp} ms`
  return { sections: [{ title: `Attestation document of ${moduleId}, ${made}`, fields }], problems: [] }
}

/** Leaf first, then the bundle from the top down. */
export async function nitroCertificates(
  { bytes }: EvidenceItem,
  context: Context,
): Promise<Outcome<readonly Certificate[]>> {
  const outcome = decodeNitroDocument(bytes, 'document')
  // What is wrong with the document is told by its report.
  if (!outcome.ok) return ok([])
  const { certificate, cabundle } = outcome.value.value
  const certificates: Certificate[] = []
  for (const [i, der] of [certificate, ...cabundle].entries()) {
    const decoded = await context.certificate(der, `certificates[${i}]`)
    if (!decoded.ok) return decoded
    certificates.push(decoded.value)
  }
  return ok(certificates)
}

/** An Arm CCA token, platform and realm by themselves. */
export function inspectCca(bytes: Uint8Array): ReportView {
  const outcome = decodeCcaToken(bytes, 'token')
  if (!outcome.ok) return { sections: [], problems: outcome.faults.map(problemOf) }
  const { platform, realm } = outcome.value.value
  const lifecycle = `0x${platform.lifecycle.toString(16).padStart(4, '0')}`
  const components = platform.swComponents.flatMap(({ type, version, measurementValue }, i) =>
    field(bytes, `swComponents[${i}].measurementValue`, measurementValue, [type, version].filter(Boolean).join(' ')),
  )
  return {
    problems: [],
    sections: [
      {
        title: `Platform token, lifecycle ${lifecycle}, ${platform.sign1.algorithm}`,
        fields: [
          ...field(bytes, 'challenge', platform.challenge, 'hash of the realm key'),
          ...field(bytes, 'implementationId', platform.implementationId),
          ...field(bytes, 'instanceId', platform.instanceId),
          ...field(bytes, 'config', platform.config),
          ...components,
        ],
      },
      {
        title: `Realm token, ${realm.sign1.algorithm}`,
        fields: [
          ...field(bytes, 'challenge', realm.challenge, 'asked by the verifier'),
          ...field(bytes, 'personalizationValue', realm.personalizationValue),
          ...field(bytes, 'initialMeasurement', realm.initialMeasurement),
          ...realm.extensibleMeasurements.flatMap((rem, i) => field(bytes, `extensibleMeasurements[${i}]`, rem)),
          ...field(bytes, 'publicKey', realm.publicKey.claim, realm.publicKeyHashAlgorithm),
        ],
      },
    ],
  }
}
