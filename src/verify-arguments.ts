import type { Evidence, VerifyContext } from './index.ts'

const TEE_TYPES = ['cpu', 'cpu-gpu']
const FRESHNESS = ['challenge', 'nonce', 'notGiven', 'notChecked']
const PHYSICAL = ['unknown', 'audited', 'hyperscaler']
const LEASE_MEMBERS = ['id', 'provider', 'teeType', 'gpuCount', 'gpuModel', 'hostData', 'mrConfigId']

/**
 * Refuses arguments that only a programmer can pass, before anything is judged: a misspelt member of a lease must not mean
 * that nothing was leased.
 * @throws TypeError that names the argument
 */
export function checkArguments(evidence: Evidence, context: VerifyContext): void {
  const wrong = (what: string): never => {
    throw new TypeError(`verify: ${what}`)
  }
  const files = evidence instanceof Uint8Array ? [{ name: 'evidence', bytes: evidence }] : evidence
  if (!Array.isArray(files)) wrong('evidence is bytes, or a list of files { name, bytes }')
  for (const file of files) {
    if (typeof file?.name !== 'string' || !(file.bytes instanceof Uint8Array))
      wrong('a file is { name: string, bytes: Uint8Array }')
  }
  if (typeof context !== 'object' || context === null) wrong('the context is an object')
  const { policy, freshness, collateral, lease, physical, referenceValues, injectedAnchors, cache } = context
  if (policy !== null && !(typeof policy === 'object' && Object.isFrozen(policy))) {
    wrong('policy is what parsePolicy or compose returned, or null')
  }
  if (!FRESHNESS.includes(freshness?.kind)) wrong(`freshness.kind is one of ${FRESHNESS.join(', ')}`)
  if (freshness.kind === 'nonce' && !(freshness.nonce instanceof Uint8Array)) wrong('freshness.nonce is a Uint8Array')
  if (freshness.kind === 'challenge' && !(freshness.challenge?.nonce instanceof Uint8Array)) {
    wrong('freshness.challenge is what decodeChallenge returned')
  }
  if (freshness.kind === 'notChecked' && typeof freshness.because !== 'string') wrong('freshness.because is text')
  const { certificates, rims, platformKeys } = collateral ?? {}
  if (![certificates, rims, platformKeys].every(Array.isArray)) {
    wrong('collateral is what prepareCollateral returned, or NO_COLLATERAL')
  }
  if (lease === undefined) wrong('lease is an object, or null where nothing was leased')
  if (lease !== null) checkLease(lease, wrong)
  if (context.knownTpms !== undefined) checkKnownTpms(context.knownTpms, wrong)
  if (!PHYSICAL.includes(physical)) wrong(`physical is one of ${PHYSICAL.join(', ')}`)
  if (!Array.isArray(referenceValues) || !referenceValues.every((v) => typeof v === 'string'))
    wrong('referenceValues is a list of text')
  if (
    !Array.isArray(injectedAnchors) ||
    !injectedAnchors.every((a) => a?.spki instanceof Uint8Array && typeof a.role === 'string')
  ) {
    wrong('injectedAnchors is a list of TrustAnchor')
  }
  if (typeof cache?.get !== 'function' || typeof cache.set !== 'function')
    wrong('cache is what createVerificationCache returned')
}

function checkKnownTpms(known: NonNullable<VerifyContext['knownTpms']>, wrong: (what: string) => never): void {
  if (!Array.isArray(known)) wrong('knownTpms is a list')
  for (const { akName, activated, resetCount, restartCount } of known) {
    if (!/^(000b[0-9a-f]{64}|000c[0-9a-f]{96}|000d[0-9a-f]{128})$/.test(akName))
      wrong('knownTpms[].akName is the Name of a key, lower-case hexadecimal')
    if (typeof activated !== 'boolean') wrong('knownTpms[].activated is a boolean')
    if (![resetCount, restartCount].every((n) => Number.isSafeInteger(n) && n >= 0))
      wrong('knownTpms[].resetCount and restartCount are counters')
  }
}

function checkLease(lease: NonNullable<VerifyContext['lease']>, wrong: (what: string) => never): void {
  if (typeof lease !== 'object') wrong('lease is an object or null')
  const unknown = Object.keys(lease).find((key) => !LEASE_MEMBERS.includes(key))
  if (unknown !== undefined) wrong(`lease has no member ${JSON.stringify(unknown)}; it has ${LEASE_MEMBERS.join(', ')}`)
  if (!TEE_TYPES.includes(lease.teeType)) wrong(`lease.teeType is one of ${TEE_TYPES.join(', ')}`)
  const { gpuCount, hostData, mrConfigId } = lease
  if (gpuCount !== undefined && !(Number.isSafeInteger(gpuCount) && gpuCount > 0))
    wrong('lease.gpuCount is a positive integer')
  if (hostData !== undefined && !/^[0-9a-f]{64}$/.test(hostData))
    wrong('lease.hostData is 64 lower-case hexadecimal digits')
  if (mrConfigId !== undefined && !/^[0-9a-f]{96}$/.test(mrConfigId))
    wrong('lease.mrConfigId is 96 lower-case hexadecimal digits')
  for (const name of ['id', 'provider', 'gpuModel'] as const) {
    if (lease[name] !== undefined && typeof lease[name] !== 'string') wrong(`lease.${name} is text`)
  }
}
