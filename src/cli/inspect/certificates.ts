import { ARCHITECTURES } from '../../attestation/nvidia/architectures.ts'
import { certifiedFwid } from '../../attestation/nvidia/fwid.ts'
import { AMD_EXTENSION_ARC, vekExtensions } from '../../attestation/sev-snp/vek-extensions.ts'
import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { toHex } from '../../core/encodings.ts'
import { toRfc3339 } from '../../core/time.ts'
import { PINNED_ANCHORS } from '../../core/trust-anchors.ts'
import type { PublicKeyInfo } from '../../core/x509/algorithms.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import { commonName, nameText, sameName } from '../../core/x509/names.ts'
import { tcbText } from '../render-decision.ts'
import type { CertificateView } from './model.ts'
import { pckCertifies } from './pck.ts'

export const keyText = (key: PublicKeyInfo): string =>
  key.kind === 'rsa' ? `RSA ${key.modulusBits}` : `EC ${key.curve}`

/**
 * Certificates as they are shown: each once, with the one among them that its issuer names, and whether its name and key are
 * those of a pinned anchor. Names alone are compared; no signature is looked at.
 */
export async function certificateViews(
  certificates: readonly Certificate[],
  context: Pick<Context, 'digestHex'>,
): Promise<CertificateView[]> {
  const held = new Map<string, Certificate>()
  for (const c of certificates) held.set(await context.digestHex('sha256', c.der), c)
  const views = [...held].map(([sha256, c]): CertificateView => {
    const selfIssued = sameName(c.subject, c.issuer)
    const issuer = selfIssued ? undefined : [...held].find(([, other]) => sameName(other.subject, c.issuer))
    const named = PINNED_ANCHORS.find((a) => equalBytes(a.subject, c.subject.der))
    const isPinned = named !== undefined && equalBytes(named.spki, c.publicKey.spki)
    const above =
      selfIssued || issuer !== undefined ? undefined : PINNED_ANCHORS.find((a) => equalBytes(a.subject, c.issuer.der))
    return {
      sha256,
      subject: nameText(c.subject),
      commonName: commonName(c.subject) ?? 'no common name',
      issuer: nameText(c.issuer),
      serial: c.serial,
      notBefore: toRfc3339(c.notBefore),
      notAfter: toRfc3339(c.notAfter),
      key: keyText(c.publicKey),
      algorithm: c.algorithm,
      ca: c.basicConstraints?.ca === true,
      selfIssued,
      ...(isPinned ? { pinned: named.id } : {}),
      ...(named !== undefined && !isPinned ? { imitates: named.id } : {}),
      ...(issuer === undefined ? {} : { issuedBy: issuer[0] }),
      ...(above === undefined ? {} : { pinnedIssuer: above.id }),
      certifies: [...amdExtensions(c), ...nvidiaExtensions(c), ...pckCertifies(c)],
    }
  })
  return withoutCircles(views)
}

/** Certificates whose issuers lead back to themselves have no top; one link of each circle is cut. */
function withoutCircles(views: readonly CertificateView[]): CertificateView[] {
  const kept = new Map(views.map((v) => [v.sha256, v]))
  for (const { sha256 } of views) {
    let at = kept.get(sha256)?.issuedBy
    for (let steps = 0; at !== undefined && at !== sha256 && steps < views.length; steps++) at = kept.get(at)?.issuedBy
    const view = kept.get(sha256)
    if (at !== sha256 || view === undefined) continue
    const { issuedBy: _, ...top } = view
    kept.set(sha256, { ...top, circular: true })
  }
  return [...kept.values()]
}

type Certified = CertificateView['certifies']

/** Chip or cloud provider and firmware level of a VCEK or VLEK. */
function amdExtensions(certificate: Certificate): Certified {
  if (![...certificate.extensions.keys()].some((oid) => oid.startsWith(AMD_EXTENSION_ARC))) return []
  const extensions = vekExtensions(certificate)
  if (!extensions.ok)
    return [
      { what: 'AMD extensions', value: `unreadable: ${extensions.faults[0].code} at ${extensions.faults[0].path}` },
    ]
  const { productName, tcb, hwId, cspId } = extensions.value
  return [
    { what: 'product', value: productName },
    { what: 'TCB', value: tcbText(tcb) },
    hwId === undefined ? { what: 'cloud', value: cspId ?? '' } : { what: 'chip', value: toHex(hwId) },
  ]
}

/** Role, device serial and firmware id of a certificate in NVIDIA's device hierarchy, by its common name. */
function nvidiaExtensions(certificate: Certificate): Certified {
  const name = commonName(certificate.subject) ?? ''
  for (const facts of ARCHITECTURES) {
    const role = (['attestation', 'identity', 'provisioner', 'architecture'] as const).find((r) =>
      facts.names[r].test(name),
    )
    if (role === undefined) continue
    const fwid = role === 'attestation' ? certifiedFwid(certificate, facts.fwid, 'certificate') : undefined
    return [
      { what: 'role', value: `${facts.architecture} ${role} key` },
      ...(fwid?.ok === true ? [{ what: 'FWID', value: toHex(fwid.value.fwid) }] : []),
    ]
  }
  return []
}
