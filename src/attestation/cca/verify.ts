import { equalBytes } from '../../core/bytes.ts'
import type { Context } from '../../core/context.ts'
import { isCoseSigned } from '../../core/cose.ts'
import { toHex } from '../../core/encodings.ts'
import { attemptAsync, type Fault, fault, refuse, take } from '../../core/outcome.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement } from '../kind.ts'
import { toCcaClaims } from './claims.ts'
import { endorsedKeyOf } from './collateral.ts'
import { CCA_HASHES, type CcaPlatform, type CcaToken, decodeCcaToken } from './decode.ts'

const NO_EXTERNAL_AAD = new Uint8Array()
/** Lifecycle 0x30nn: secured. Every other state lets somebody else into the platform. */
const SECURED = 0x30

/**
 * Judges one Arm CCA token alone: the platform token signed by a key that the verifier endorsed, its challenge equal to the hash of
 * the realm's key, the realm token signed by that key, the platform secured. Whether the realm's challenge is ours is judged
 * by the evidence set.
 * @returns a judgement with claims exactly where both signatures held. Its faults: codes of `decodeCcaToken` and
 * `endorsedKeyOf`, CCA_BINDING_INVALID · COSE_SIGNATURE_INVALID; beside claims CCA_LIFECYCLE. The endorsed key counts as an
 * injected anchor: it is the caller's, not pinned by us.
 * @see ../shared/spec/tpm-and-clouds.md §7
 */
export async function verifyCcaToken(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const base = { id: item.id, kind: item.kind, revocation: [], notChecked: [] }
  const outcome = await attemptAsync(async () => {
    const token = take(decodeCcaToken(item.bytes, 'token')).value
    const key = await endorsedKeyOf(context, token.platform.sign1, collateral.platformKeys)
    await checkBinding(context, token)
    const { sign1, publicKey } = token.realm
    if (!(await isCoseSigned(context, 'evidence', sign1, publicKey.spki, NO_EXTERNAL_AAD))) {
      refuse('COSE_SIGNATURE_INVALID', 'token.realm.signature', {
        expected: 'a signature by the realm attestation key',
      })
    }
    return { token, key }
  })
  if (!outcome.ok) {
    return {
      ...base,
      faults: outcome.faults,
      claims: undefined,
      hardwareId: undefined,
      collateral: [],
      injectedAnchors: [],
    }
  }
  const { token, key } = outcome.value
  return {
    ...base,
    faults: lifecycleFaults(token.platform),
    claims: authentic(toCcaClaims(authentic(token))),
    hardwareId: `arm-cca:${key.sha256}`,
    collateral: [key.use],
    injectedAnchors: [key.id],
  }
}

/** Nothing else ties the two tokens: without it, any realm's token would do beside any platform's. */
async function checkBinding(context: Context, { platform, realm }: CcaToken): Promise<void> {
  const { publicKey, publicKeyHashAlgorithm } = realm
  const expected = await context.digest(CCA_HASHES[publicKeyHashAlgorithm], publicKey.claim)
  if (!equalBytes(platform.challenge, expected)) {
    refuse('CCA_BINDING_INVALID', 'token.platform.challenge', {
      expected: toHex(expected),
      actual: toHex(platform.challenge),
    })
  }
}

function lifecycleFaults({ lifecycle }: CcaPlatform): readonly Fault[] {
  if (lifecycle >> 8 === SECURED) return []
  const actual = `0x${lifecycle.toString(16).padStart(4, '0')}`
  return [fault('CCA_LIFECYCLE', 'token.platform.lifecycle', { expected: '0x3000 to 0x30ff', actual })]
}
