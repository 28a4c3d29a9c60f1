import { webcrypto } from 'node:crypto'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import { CompactSign, generateKeyPair } from 'jose'
import { utf8 } from '../../../src/core/bytes.ts'
import { nodeCrypto } from '../../../src/core/crypto/node.ts'
import { toBase64 } from '../../../src/core/encodings.ts'
import {
  type CredentialExpectation,
  type CredentialPurpose,
  type CredentialRequest,
  HOLDER_PROOF_TYPE,
  type HolderProof,
  holderStatementText,
  holderThumbprint,
  issueCredential,
  jwksOf,
  proveHolder,
} from '../../../src/decision/credential/index.ts'
import type { Decision } from '../../../src/decision/decision.ts'
import {
  accountAddress,
  accountThumbprint,
  adr36Document,
  type Challenge,
  type ChallengePurpose,
  decodeChallenge,
  digestOfPolicy,
  issueChallengeRecord,
  keyReportData,
} from '../../../src/index.ts'
import type { AmdMachineOptions } from '../../../src/testing/index.ts'
import { valueIn } from '../../core/support.ts'
import { akashScene, bothScene, cpu, gpuPolicy, gpus, judged, NOW } from '../../reject/stage.ts'

export { NOW } from '../../reject/stage.ts'

/** The provider's account, from a fixed secret. */
const ACCOUNT_SECRET = new Uint8Array(32).fill(7)
export const ACCOUNT_KEY: Uint8Array = secp256k1.getPublicKey(ACCOUNT_SECRET, true)
export const PROVIDER = await accountAddress(ACCOUNT_KEY, 'akash')
export const OWNER = 'akash1qufa3xzrf34qvwyejkhvnc4psf49fftaw0asmh'
export const ORDER = `${OWNER}/18412345/1/1`
export const LEASE = `${ORDER}/${PROVIDER}/0`
export const ISSUER = 'https://verifier.example'
export const AUDIENCE = 'console.akash.network'
export const NONCE = 'nonce-of-the-relying-party'

export const POLICY = gpuPolicy({}, { acceptRisks: ['open-quote-oracle'] })
export const POLICY_DIGEST = await digestOfPolicy(POLICY)

const verifierKeys = { ES256: await generateKeyPair('ES256'), EdDSA: await generateKeyPair('EdDSA') }
export const stranger = await generateKeyPair('ES256')
export const teeKey = await generateKeyPair('ES256')
export const spkiOf = async ({ publicKey }: Awaited<ReturnType<typeof generateKeyPair>>): Promise<Uint8Array> =>
  new Uint8Array(await webcrypto.subtle.exportKey('spki', publicKey as webcrypto.CryptoKey))
export const HOLDER = { jkt: await holderThumbprint(teeKey.publicKey) }

export const SIGNERS = {
  ES256: { kid: 'verifier-1', alg: 'ES256', key: verifierKeys.ES256.privateKey },
  EdDSA: { kid: 'verifier-2', alg: 'EdDSA', key: verifierKeys.EdDSA.privateKey },
} as const

export const PUBLISHED = [
  { kid: 'verifier-1', publicKey: verifierKeys.ES256.publicKey, retiredAt: null },
  { kid: 'verifier-2', publicKey: verifierKeys.EdDSA.publicKey, retiredAt: null },
] as const
export const KEYS = await jwksOf(PUBLISHED, NOW)

export interface Judged {
  readonly decision: Decision
  readonly challenge: Challenge
}

/** Evidence of one SNP machine with one H100 that answers a challenge of this purpose, judged; with a key, it carries that. */
export async function decided(
  purpose: ChallengePurpose,
  {
    wrong,
    provider = PROVIDER,
    lease = LEASE,
    spki,
  }: Pick<AmdMachineOptions, 'wrong'> & { provider?: string; lease?: string; spki?: Uint8Array } = {},
): Promise<Judged> {
  const scoped = purpose === 'posture' || purpose === 'selftest' ? {} : { lease }
  const record = await issueChallengeRecord(
    {
      ...{ id: `c-${purpose}`, purpose, provider, ...scoped },
      ...{ policyDigest: POLICY_DIGEST, verifierKeyId: 'verifier-1', iat: NOW - 10, exp: NOW + 60 },
      ...(spki === undefined ? {} : { teeKey: spki }),
    },
    new Uint8Array(32).fill(9),
    nodeCrypto.digest,
  )
  const challenge = valueIn(decodeChallenge(record))
  const { nonce } = challenge
  const reportData = spki === undefined ? nonce : await keyReportData(nodeCrypto.digest, nonce, spki)
  const machine = cpu({ report: { reportData }, ...(wrong === undefined ? {} : { wrong }) })
  const devices = gpus({ nonce: reportData.subarray(0, 32) })
  const key = spki === undefined ? undefined : { spki: toBase64(spki), domain: 'vouchsafe/1' }
  const decision = await judged(
    key === undefined ? akashScene(machine, devices) : bothScene(machine, devices, { key }),
    {
      policy: POLICY,
      freshness: { kind: 'challenge', challenge },
      lease: {
        ...{ provider, teeType: 'cpu-gpu', gpuCount: 1, gpuModel: 'H100' },
        ...(scoped.lease === undefined ? {} : { id: lease }),
      },
    },
  )
  return { decision, challenge }
}

/** As if the kit's roots were the vendors': what is tested here is what happens to a decision that may open something. */
export const trusted = ({ decision, challenge }: Judged): Judged => ({
  decision: { ...decision, injectedAnchors: [] },
  challenge,
})

export const ACCEPTED: Readonly<Record<CredentialPurpose, Judged>> = {
  posture: trusted(await decided('posture')),
  lease: trusted(await decided('lease')),
  'key-release': trusted(await decided('key-release', { spki: await spkiOf(teeKey) })),
}

export const hardwareOf = (decision: Decision): readonly string[] =>
  decision.items.flatMap(({ hardwareId }) => hardwareId ?? [])

export const requestFor = (
  purpose: CredentialPurpose,
  changed: Partial<CredentialRequest> = {},
): CredentialRequest => ({
  ...ACCEPTED[purpose],
  purpose,
  issuer: ISSUER,
  audience: ['akashnet-2', AUDIENCE],
  subject: PROVIDER,
  order: null,
  lease: purpose === 'posture' ? null : LEASE,
  policyDigest: POLICY_DIGEST,
  hardware: hardwareOf(changed.decision ?? ACCEPTED[purpose].decision),
  holder: HOLDER,
  verifier: { developer: 'https://vouchsafe.example', build: '0.1.0' },
  signer: SIGNERS.ES256,
  now: NOW,
  jti: `jti-${purpose}-0123456789abcdef`,
  ttlSeconds: 24 * 60 * 60,
  ...changed,
})

export const issued = async (purpose: CredentialPurpose, changed: Partial<CredentialRequest> = {}) =>
  valueIn(await issueCredential(requestFor(purpose, changed), nodeCrypto.digest))

/** A credential with claims or header replaced, signed anew by the verifier: only the change can be what is refused. */
export async function resigned(
  purpose: CredentialPurpose,
  change: (claims: Record<string, unknown>) => unknown,
  { header = {}, by = SIGNERS.ES256.key }: { header?: object; by?: typeof stranger.privateKey } = {},
): Promise<string> {
  const { claims } = await issued(purpose)
  const changed = change(structuredClone(claims) as unknown as Record<string, unknown>)
  const payload = typeof changed === 'string' ? changed : JSON.stringify(changed)
  return new CompactSign(utf8(payload))
    .setProtectedHeader({ alg: 'ES256', kid: 'verifier-1', typ: 'eat+jwt', ...header })
    .sign(by)
}

/** The proof of the key in the TEE that the credential of this purpose asks for. */
export const proofFor = (
  purpose: CredentialPurpose,
  changed: Partial<Parameters<typeof proveHolder>[0]> = {},
  pair = teeKey,
): Promise<HolderProof> =>
  proveHolder({ jti: requestFor(purpose).jti, aud: AUDIENCE, iat: NOW, nonce: NONCE, ...changed }, pair)

export const expecting = async (
  purpose: CredentialPurpose,
  changed: Partial<CredentialExpectation> = {},
): Promise<CredentialExpectation> => ({
  keys: KEYS,
  issuer: ISSUER,
  audience: AUDIENCE,
  purpose,
  subject: PROVIDER,
  order: null,
  lease: purpose === 'posture' ? null : LEASE,
  policyDigest: POLICY_DIGEST,
  holder: { nonce: NONCE, proof: await proofFor(purpose) },
  revoked: () => false,
  now: NOW,
  ...changed,
})

export const ACCOUNT_HOLDER = { jkt: await accountThumbprint(ACCOUNT_KEY) }

/** What a wallet answers when it is asked to sign the statement. */
export function walletProof(jti: string, iat = NOW, secret = ACCOUNT_SECRET, signer = PROVIDER): HolderProof {
  const document = adr36Document(signer, utf8(holderStatementText({ jti, aud: AUDIENCE, iat, nonce: NONCE })))
  const signature = secp256k1.sign(document, secret)
  return { kind: 'adr36', publicKey: secp256k1.getPublicKey(secret, true), signature, iat }
}

export { HOLDER_PROOF_TYPE }
