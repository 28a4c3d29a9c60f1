import type { CollateralSet, Held } from '../../attestation/collateral.ts'
import { decodeManifest } from '../../attestation/nvidia/rim/manifest.ts'
import { decodeSignature } from '../../attestation/nvidia/rim/signature.ts'
import { findSignature } from '../../attestation/nvidia/rim/signature-scope.ts'
import { decodeXml, MANIFEST_CHARACTERS } from '../../attestation/nvidia/rim/xml.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { attempt, type Fault, type Outcome, take } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import { type Certificate, decodeCertificate } from '../../core/x509/certificate.ts'
import type { Crl } from '../../core/x509/crl.ts'
import { nameText } from '../../core/x509/names.ts'
import type { OcspResponse, OcspSingle } from '../../core/x509/ocsp.ts'
import { certificateViews } from './certificates.ts'
import { intelDocumentView } from './intel.ts'
import type { CollateralView, CrlView, OcspView, RimView } from './model.ts'

/** Every object of a sorted folder, and the manifests and documents that cannot be read. */
export async function inspectCollateral(
  set: CollateralSet,
  context: Context,
): Promise<{ readonly views: readonly CollateralView[]; readonly faults: readonly Fault[] }> {
  const certificates = await certificateViews(
    set.certificates.map((c) => c.value),
    context,
  )
  const signed = await Promise.all([
    ...set.rims.map((rim) => rimView(rim, context)),
    ...set.intelDocuments.map((document) => intelDocumentView(document, set, context)),
  ])
  return {
    views: [
      ...(certificates.length === 0 ? [] : [{ kind: 'certificates' as const, certificates }]),
      ...set.crls.map(crlView),
      ...(await Promise.all(set.ocspResponses.map((ocsp) => ocspView(ocsp, context)))),
      ...signed.flatMap((view) => (view.ok ? [view.value] : [])),
    ],
    faults: signed.flatMap((view) => (view.ok ? [] : view.faults)),
  }
}

function crlView({ value: crl, sha256 }: Held<Crl>): CrlView {
  return {
    kind: 'crl',
    sha256,
    issuer: nameText(crl.issuer),
    algorithm: crl.algorithm,
    ...(crl.number === undefined ? {} : { number: crl.number }),
    thisUpdate: toRfc3339(crl.thisUpdate),
    ...(crl.nextUpdate === undefined ? {} : { nextUpdate: toRfc3339(crl.nextUpdate) }),
    revoked: [...crl.revoked].map(([serial, at]) => ({ serial, at: toRfc3339(at) })),
    criticalExtensions: crl.criticalExtensions,
  }
}

function statusText({ status }: OcspSingle): string {
  if (status.kind !== 'revoked') return status.kind
  return `revoked at ${toRfc3339(status.at)}${status.reason === undefined ? '' : `, reason ${status.reason}`}`
}

async function ocspView({ value: answer, sha256 }: Held<OcspResponse>, context: Context): Promise<OcspView> {
  return {
    kind: 'ocsp',
    sha256,
    algorithm: answer.algorithm,
    producedAt: toRfc3339(answer.producedAt),
    ...(answer.nonce === undefined ? {} : { nonce: toHex(answer.nonce) }),
    responses: answer.responses.map((single) => ({
      serial: single.serial,
      status: statusText(single),
      hash: single.hash,
      issuerKeyHash: toHex(single.issuerKeyHash),
      thisUpdate: toRfc3339(single.thisUpdate),
      ...(single.nextUpdate === undefined ? {} : { nextUpdate: toRfc3339(single.nextUpdate) }),
    })),
    certificates: await certificateViews(answer.certificates, context),
  }
}

/** The manifest as it stands in the file. What a judgement uses is read from the signed form instead. */
async function rimView({ value: bytes, sha256 }: Held<Uint8Array>, context: Context): Promise<Outcome<RimView>> {
  const decoded = attempt(() => {
    const { root } = take(decodeXml(bytes, MANIFEST_CHARACTERS, 'manifest'))
    const signature = findSignature(root, 'manifest')
    const unsigned = { ...root, children: root.children.filter((child) => child !== signature) }
    const manifest = decodeManifest(unsigned, 'manifest')
    const { certificates } = decodeSignature(signature, 'manifest.Signature')
    const chain: Certificate[] = certificates.map((der, i) =>
      take(decodeCertificate(der, `manifest.certificates[${i}]`)),
    )
    return { manifest, chain }
  })
  if (!decoded.ok) return decoded
  const { manifest, chain } = decoded.value
  const { name, tagId, version, product, edition, entries } = manifest
  const values = [...entries].map(([index, { active, alternatives }]) => ({ index, active, alternatives }))
  const certificates = await certificateViews(chain, context)
  return { ok: true, value: { kind: 'rim', sha256, name, tagId, version, product, edition, values, certificates } }
}
