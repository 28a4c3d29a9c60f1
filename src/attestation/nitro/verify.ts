import type { Context } from '../../core/context.ts'
import { isCoseSigned } from '../../core/cose.ts'
import { attemptAsync, type Fault, fault, refuse, take } from '../../core/outcome.ts'
import { toRfc3339 } from '../../core/time.ts'
import type { Certificate } from '../../core/x509/certificate.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement } from '../kind.ts'
import { toNitroClaims } from './claims.ts'
import { authenticateEnclaveKey } from './collateral.ts'
import { decodeNitroDocument, isDebug, type NitroDocument } from './decode.ts'

/** How far the module's clock may run before ours. */
const LEEWAY_SECONDS = 60
const NO_EXTERNAL_AAD = new Uint8Array()

/**
 * Judges one Nitro attestation document alone: decodes it, proves the certificate in it up to the pinned AWS root, checks
 * its signature, and that it was made while its key was valid and not in the future. Whether it answers our challenge is
 * judged by the evidence set.
 * @returns a judgement with claims exactly where the signature held. Its faults: codes of `decodeNitroDocument` and
 * `authenticateEnclaveKey`, X509_* of its certificates, COSE_SIGNATURE_INVALID · NITRO_TIMESTAMP; beside claims NITRO_DEBUG
 * @see ../shared/spec/tpm-and-clouds.md §6
 */
export async function verifyNitroDocument(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const base = { id: item.id, kind: item.kind, hardwareId: undefined, notChecked: [] }
  const outcome = await attemptAsync(async () => {
    const document = take(decodeNitroDocument(item.bytes, 'document')).value
    const key = await authenticateEnclaveKey(context, document, collateral.crls)
    const { spki } = key.leaf.publicKey
    if (!(await isCoseSigned(context, 'evidence', document.sign1, spki, NO_EXTERNAL_AAD))) {
      refuse('COSE_SIGNATURE_INVALID', 'document.signature', { expected: 'a signature by the key of the certificate' })
    }
    checkTimestamp(context, document, key.leaf)
    return { document, key }
  })
  if (!outcome.ok) {
    return { ...base, faults: outcome.faults, claims: undefined, revocation: [], collateral: [], injectedAnchors: [] }
  }
  const { document, key } = outcome.value
  const { anchor } = key.path
  return {
    ...base,
    faults: debugFaults(document),
    claims: authentic(toNitroClaims(authentic(document))),
    revocation: [key.revocation],
    collateral: key.uses,
    injectedAnchors: anchor.injected ? [anchor.id] : [],
  }
}

function checkTimestamp({ now }: Context, { timestamp }: NitroDocument, { notBefore, notAfter }: Certificate): void {
  const seconds = timestamp / 1000
  const latest = Math.min(notAfter, now + LEEWAY_SECONDS)
  // Certificates count whole seconds: within the last one of its life a key may still sign.
  if (seconds < notBefore || seconds >= latest + 1) {
    refuse('NITRO_TIMESTAMP', 'document.payload.timestamp', {
      expected: `${toRfc3339(notBefore)} to ${toRfc3339(latest)}`,
      actual: `${timestamp} ms`,
    })
  }
}

function debugFaults(document: NitroDocument): readonly Fault[] {
  if (!isDebug(document)) return []
  return [fault('NITRO_DEBUG', 'document.payload.pcrs', { expected: 'PCRs 0 to 2 measured', actual: 'zero' })]
}
