import type { Context } from '../../core/context.ts'
import { attemptAsync, type Fault, fault, refuse, take } from '../../core/outcome.ts'
import type { TpmEventLogClaims } from '../claims.ts'
import type { CollateralSet } from '../collateral.ts'
import type { EvidenceItem } from '../evidence.ts'
import { authentic, type ItemJudgement, type NotChecked } from '../kind.ts'
import { type TpmFacts, toTpmClaims } from './claims.ts'
import { type AuthenticTpmKey, authenticateTpmKey } from './collateral.ts'
import { decodeTpmQuote, type TpmQuote } from './decode.ts'
import { judgeTpmEventLog } from './event-log.ts'
import { checkPcrs } from './pcrs.ts'
import { nameOf, type PublicArea, type TpmAttributes } from './public-area.ts'
import { portSignatureOf } from './signature.ts'

const PATH = 'quote'

/**
 * Judges one TPM quote alone: the key's certificate, where one came with it, up to a trusted root; what the key may sign; the
 * signature; the PCR values; the event log. A quote whose key nobody vouches for is proved all the same, as what that key
 * signed: whose key it is, a policy asks (`tpm.akTrust`), or the report of the CPU tells. Whether the challenge is ours is judged by the
 * evidence set.
 * @returns a judgement with claims exactly where signature and PCR values held. Its faults: codes of `decodeTpmQuote`,
 * `authenticateTpmKey`, `checkPcrs` and `judgeTpmEventLog` · TPM_AK_ATTRIBUTES · TPM_SIGNATURE_INVALID ·
 * LIMIT_EVENT_LOG_COUNT; beside claims TPM_BANK_WEAK. It has no hardware id: a TPM's key names a TPM, which may be a
 * virtual one, and never a machine.
 * @see ../shared/spec/tpm-and-clouds.md §§1–3
 */
export async function verifyTpmQuote(
  item: EvidenceItem,
  collateral: CollateralSet,
  context: Context,
): Promise<ItemJudgement> {
  const base = { id: item.id, kind: item.kind, hardwareId: undefined }
  const outcome = await attemptAsync(async () => {
    const quote = take(decodeTpmQuote(item.bytes, PATH)).value
    const maker =
      item.endorsements.length === 0
        ? undefined
        : await authenticateTpmKey(context, 'attestation', quote.key.spki, item.endorsements, collateral)
    if (quote.key.form === 'public-area') checkAttributes(quote.key.area)
    await checkSignature(context, quote)
    const digest: Context['digest'] = (h, b) => context.digest(h, b)
    await checkPcrs(quote.attest, quote.pcrs, quote.signature.hash, digest, PATH)
    const name = quote.key.form === 'public-area' ? await nameOf(quote.key.area, digest) : undefined
    return { quote, maker, name, eventLog: await eventLogOf(item, quote, digest) }
  })
  if (!outcome.ok) {
    const nothing = { claims: undefined, revocation: [], collateral: [], notChecked: [], injectedAnchors: [] }
    return { ...base, faults: outcome.faults, ...nothing }
  }
  const { quote, maker, name, eventLog } = outcome.value
  const facts: TpmFacts = { name, certificate: maker?.claims, eventLog }
  return {
    ...base,
    faults: weakBanks(quote),
    claims: authentic(toTpmClaims(authentic(quote), facts)),
    revocation: maker === undefined ? [] : [maker.revocation],
    collateral: maker?.uses ?? [],
    notChecked: notCheckedOf(item, quote),
    injectedAnchors: injectedIn(maker),
  }
}

const injectedIn = (maker: AuthenticTpmKey | undefined): readonly string[] =>
  maker?.path.anchor.injected === true ? [maker.path.anchor.id] : []

/** What a key must be, so that the TPM alone decides what it signs behind the magic number. */
const AK: TpmAttributes = {
  fixedTpm: true,
  fixedParent: true,
  sensitiveDataOrigin: true,
  restricted: true,
  decrypt: false,
  sign: true,
}

function checkAttributes({ attributes }: PublicArea): void {
  for (const [name, expected] of Object.entries(AK)) {
    const actual = attributes[name as keyof TpmAttributes]
    if (actual !== expected)
      refuse('TPM_AK_ATTRIBUTES', `${PATH}.akPublic.${name}`, { expected: String(expected), actual: String(actual) })
  }
}

async function checkSignature(context: Context, { attest, signature, key }: TpmQuote): Promise<void> {
  const invalid = (expected: string): never =>
    refuse('TPM_SIGNATURE_INVALID', `${PATH}.signature`, { expected, actual: `${signature.scheme} ${signature.hash}` })
  const scheme = key.form === 'public-area' ? key.area.scheme : undefined
  if (scheme !== undefined && (scheme.name !== signature.scheme || scheme.hash !== signature.hash))
    invalid(`${scheme.name} ${scheme.hash}, as the key signs`)
  const check = portSignatureOf(signature, key.kind)
  if (check === undefined) return invalid(`a signature that a key of kind ${key.kind} can make`)
  const { spki } = key
  if (!(await context.verify('evidence', check.algorithm, spki, attest.bytes, check.signature, 'once')))
    invalid('a signature by the attestation key')
}

async function eventLogOf(
  { eventLogs = [] }: EvidenceItem,
  { pcrs }: TpmQuote,
  digest: Context['digest'],
): Promise<TpmEventLogClaims | undefined> {
  const [log, more] = eventLogs
  if (log === undefined) return undefined
  if (more !== undefined)
    refuse('LIMIT_EVENT_LOG_COUNT', `${PATH}.eventLog`, { expected: 'one event log', actual: eventLogs.length })
  return take(await judgeTpmEventLog(log, pcrs, digest, `${PATH}.eventLog`))
}

function weakBanks({ attest }: TpmQuote): readonly Fault[] {
  if (!attest.selections.some((s) => s.bank === 'sha1')) return []
  return [fault('TPM_BANK_WEAK', `${PATH}.attest.pcrSelect`, { expected: 'sha256 or stronger', actual: 'sha1' })]
}

function notCheckedOf({ id }: EvidenceItem, { key }: TpmQuote): readonly NotChecked[] {
  if (key.form === 'public-area') return []
  return [
    { what: `${id}: attributes of the attestation key`, because: 'its bare key was shown, without its public area' },
  ]
}
