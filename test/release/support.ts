import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { utf8 } from '../../src/core/bytes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { GateOptions } from '../../src/gate/core.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { Administration } from '../../src/release/administration.ts'
import type { ReleaseAnswer, ReleaseRequest } from '../../src/release/answer.ts'
import type { Approval } from '../../src/release/approval.ts'
import { Broker } from '../../src/release/broker.ts'
import type { BrokerOptions } from '../../src/release/options.ts'
import type { KeyLimits, ReleaseStore, Vault } from '../../src/release/ports.ts'
import type { OpenedSession } from '../../src/release/session.ts'
import { cocoSnpEvidence } from '../../src/testing/index.ts'
import {
  cpuMachineOf,
  keyedAnswerOf,
  leaseId,
  nonceOf,
  OWNER,
  orderOf,
  type Shown,
  type TestGate,
  testGate,
} from '../gate/support.ts'
import { referenceValue, SIGNED_BY_TEAM } from '../reject/signer.ts'
import { cpuPolicy, json } from '../reject/stage.ts'
import { jcs } from '../service/kbs-client.ts'

/** Level 5, an image that somebody vouches for, keys for two minutes. */
export const KEY_POLICY: Policy = cpuPolicy(
  {},
  { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5, ttlSeconds: 120 } },
  { level: 5 },
)

export const TENANT = OWNER
export const KEY = { tenant: TENANT, keyId: 'weights-1' }
export const SECRET = utf8('{"keys":["what must not get out"]}')
export const LIMITLESS: KeyLimits = {
  releases: 'unlimited',
  window: 'unlimited',
  leases: 'unlimited',
  chips: 'unlimited',
  onlyLeases: 'any',
}
export const ONE: Approval = { by: 'alice', approvedBy: null }
export const TWO: Approval = { by: 'alice', approvedBy: 'bob' }

export const spkiOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'spki' }))
export const X25519 = generateKeyPairSync('x25519')
export const P256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })

/** A vault that writes down what it opened: the real one under it does the work. */
export function recording(vault: Vault): Vault & { readonly opened: string[] } {
  const opened: string[] = []
  return {
    opened,
    get currentKek() {
      return vault.currentKek
    },
    seal: (secret, binding) => vault.seal(secret, binding),
    open: (sealed, binding) => {
      opened.push(`${binding.tenant}/${binding.keyId}`)
      return vault.open(sealed, binding)
    },
    mac: (kek, message) => vault.mac(kek, message),
    close: () => vault.close(),
  }
}

export interface TestBroker {
  readonly broker: Broker
  readonly options: BrokerOptions
  readonly admin: Administration
  readonly store: ReleaseStore
  readonly vault: ReturnType<typeof recording>
  readonly gate: TestGate
  readonly errors: unknown[]
  /** asks a challenge, has a machine answer it, asks for the key */
  ask(how?: Asked): Promise<ReleaseAnswer>
  /** the request alone */
  request(how?: Asked): Promise<ReleaseRequest>
  /** a KBS client's way */
  attest(session: OpenedSession, how?: KbsAsked): ReturnType<Broker['attestSession']>
}

export interface Asked {
  readonly shown?: Shown
  readonly key?: KeyObject
  readonly lease?: ReturnType<typeof leaseId>
  readonly policy?: Policy
  readonly purpose?: 'lease' | 'reattest' | 'key-release'
  readonly request?: Partial<ReleaseRequest>
}

export interface KbsAsked {
  readonly shown?: Shown
  readonly jwk?: JsonObject
  readonly nonce?: string
  readonly additionalEvidence?: string
}

export const P256_JWK: JsonObject = kbsJwk(P256.publicKey)

export function kbsJwk(key: KeyObject): JsonObject {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' }) as Record<string, string | undefined>
  return kty === 'RSA' ? { kty, alg: 'RSA-OAEP-256', n, e } : { kty, crv, alg: 'ECDH-ES+A256KW', x, y }
}

export interface TestParts {
  readonly store: ReleaseStore
  readonly vault: Vault
  readonly audit: BrokerOptions['audit']
  readonly gate?: Partial<GateOptions>
  readonly broker?: Partial<BrokerOptions>
}

/** A broker over a gate of test hierarchies, with one lease opened and nothing registered. */
export async function brokerOver(parts: TestParts): Promise<TestBroker> {
  const gate = await testGate({ referenceValues: [referenceValue()], ...parts.gate })
  await gate.gate.refresh()
  const vault = recording(parts.vault)
  const errors: unknown[] = []
  const options: BrokerOptions = {
    gate: gate.gate,
    challenges: gate.options.store,
    vault,
    store: parts.store,
    audit: parts.audit,
    clock: gate.now,
    random: (size) => new Uint8Array(crypto.getRandomValues(new Uint8Array(size))),
    tenantOf: (workload) => (workload.includes('/') ? workload.split('/')[0] : TENANT),
    collateralEpoch: () => 7,
    onError: (error) => errors.push(error),
    ...parts.broker,
  }
  const broker = new Broker(options)
  const request: TestBroker['request'] = async (how = {}) => {
    const { lease = leaseId(), policy = KEY_POLICY, key = X25519.publicKey, shown = {} } = how
    const spki = spkiOf(key)
    const purpose = how.purpose ?? 'key-release'
    const record = await gate.gate.issueChallenge({ purpose, lease, policy, teeKey: spki })
    const evidence = await keyedAnswerOf(nonceOf(record), spki, shown)
    const proof = { kind: 'challenge' as const, challengeId: record.id, lease, evidence }
    return { ...KEY, proof, wrapKey: spki, format: 'hpke', ...how.request }
  }
  await gate.gate.openLease({ lease: leaseId(), order: orderOf(), policy: KEY_POLICY, hostData: null })
  return {
    ...{ broker, options, store: parts.store, vault, gate, errors, request },
    admin: new Administration(options),
    ask: async (how = {}) => broker.release(await request(how)),
    attest: async ({ id, nonce }, { shown = {}, jwk = P256_JWK, additionalEvidence = '', ...how } = {}) => {
      const committed = jcs({ 'additional-evidence': additionalEvidence, nonce, 'tee-pubkey': jwk })
      const reportData = new Uint8Array(64)
      reportData.set(createHash('sha384').update(committed).digest())
      const { report, vek, intermediate } = cpuMachineOf(reportData, shown)
      const chain = [{ type: 'VCEK', der: vek } as const, { type: 'ASK', der: intermediate } as const]
      const body = {
        'init-data': null,
        'runtime-data': { nonce: how.nonce ?? nonce, 'tee-pubkey': jwk },
        'tee-evidence': {
          primary_evidence: cocoSnpEvidence(report, chain),
          additional_evidence: additionalEvidence,
        },
      }
      return broker.attestSession({ sessionId: id, evidence: json(body) })
    },
  }
}

/** What was found, as rows look at it. */
export const findingsOf = (answer: ReleaseAnswer) => (answer.released ? [] : answer.findings)
