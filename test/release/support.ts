import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { utf8 } from '../../src/core/bytes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { type Outcome, take } from '../../src/core/outcome.ts'
import type { GateOptions } from '../../src/gate/core.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'
import type { GateStore } from '../../src/gate/store.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { Administration } from '../../src/release/administration.ts'
import type { ReleaseAnswer, ReleaseRequest } from '../../src/release/answer.ts'
import type { Approval } from '../../src/release/approval.ts'
import { type AuditLog, createAnchorFile, createAuditLog, fileAnchor } from '../../src/release/audit/index.ts'
import { Broker } from '../../src/release/broker.ts'
import { leaseOwner } from '../../src/release/lease-owner.ts'
import type { BrokerOptions } from '../../src/release/options.ts'
import type { KeyLimits, ReleaseStore, Vault } from '../../src/release/ports.ts'
import type { OpenedSession } from '../../src/release/session.ts'
import { fileVault } from '../../src/release/vault/index.ts'
import { sqliteReleaseStore, sqliteStore } from '../../src/stores/index.ts'
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
  trustingTestAnchors,
} from '../gate/support.ts'
import { referenceValue, SIGNED_BY_TEAM } from '../reject/signer.ts'
import { cpuDocument, gpuDocument, json, policyOf } from '../reject/stage.ts'
import { jcs } from '../service/kbs-client.ts'
import { signing } from './audit/support.ts'
import { newFile, newKekFile } from './files.ts'

/** Level 5, an image that somebody vouches for, keys for two minutes. */
export const KEY_DOCUMENT: JsonObject = cpuDocument(
  {},
  { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5, ttlSeconds: 120 } },
  { level: 5 },
)
export const KEY_POLICY: Policy = policyOf(KEY_DOCUMENT)

const gpuRequirement = gpuDocument(
  { nonce: 'composite', binding: 'measured-guest' },
  { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5, ttlSeconds: 120 } },
)
/** The same on SNP with one H100 that the guest's own driver reports for and the CPU's report covers. */
export const GPU_KEY_DOCUMENT: JsonObject = {
  ...gpuRequirement,
  require: { ...(gpuRequirement.require as JsonObject), level: 5 },
}

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
/** For guests of the KBS protocol, which no lease stands behind. */
export const FOR_GUESTS: KeyLimits = { ...LIMITLESS, onlyLeases: ['inference'] }
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
  readonly file: string
  /** the log as it is verified when a process starts */
  openAudit(): Promise<Outcome<AuditLog>>
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
  /** the audit log */
  entries(): Promise<Record<string, unknown>[]>
  /** what somebody does who can write to the database */
  sql(text: string, ...values: (string | number)[]): void
}

export interface Asked {
  readonly shown?: Shown
  readonly key?: KeyObject
  /** instead of the key's */
  readonly spki?: Uint8Array
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

const sharedKek = await newKekFile()
const SIGNING = await signing('audit-1')

export interface TestParts {
  /** file of gate and keys; a new one where none is given */
  readonly file?: string
  /** instead of stores in that file */
  readonly stores?: { readonly gate: GateStore; readonly release: ReleaseStore }
  readonly kekFile?: string
  readonly anchorFile?: string
  /** instead of one over the KEK file */
  readonly vault?: Vault
  readonly gate?: Partial<GateOptions>
  readonly judge?: Parameters<typeof testGate>[1]
  readonly broker?: Partial<BrokerOptions>
  /** what stands before the real store */
  readonly before?: (store: ReleaseStore) => ReleaseStore
  /** whether a lease is opened and a key registered; true where nothing is said */
  readonly isEmpty?: boolean
  readonly limits?: KeyLimits
  readonly policy?: Policy
}

/** A broker over SQLite, a KEK file, and a gate of test hierarchies; the lease is opened, the key is registered. */
export async function testBroker(parts: TestParts = {}): Promise<TestBroker> {
  const file = parts.file ?? newFile('db')
  const gateStore = parts.stores?.gate ?? sqliteStore(file)
  const gate = await testGate(
    { store: gateStore, referenceValues: [referenceValue()], ...parts.gate },
    parts.judge ?? trustingTestAnchors,
  )
  await gate.gate.refresh()
  const vault = recording(parts.vault ?? take(await fileVault(parts.kekFile ?? sharedKek)))
  const plain = parts.stores?.release ?? sqliteReleaseStore(file)
  const store = parts.before?.(plain) ?? plain
  const errors: unknown[] = []
  const anchorFile = parts.anchorFile ?? newFile('anchor')
  await createAnchorFile(anchorFile)
  const openAudit = () => createAuditLog({ ...SIGNING, store: plain, anchor: fileAnchor(anchorFile), clock: gate.now })
  const options: BrokerOptions = {
    gate: gate.gate,
    challenges: gateStore,
    ...{ vault, store },
    audit: take(await openAudit()),
    clock: gate.now,
    random: nodeRandom,
    tenantOf: (workload) => (workload === 'inference' ? TENANT : leaseOwner(workload)),
    collateralEpoch: () => 7,
    onError: (error) => errors.push(error),
    ...parts.broker,
  }
  const broker = new Broker(options)
  const policy = parts.policy ?? KEY_POLICY
  const request: TestBroker['request'] = async (how = {}) => {
    const { lease = leaseId(), key = X25519.publicKey, shown = {}, purpose = 'key-release' } = how
    const spki = how.spki ?? spkiOf(key)
    const record = await gate.gate.issueChallenge({ purpose, lease, policy: how.policy ?? policy, teeKey: spki })
    const evidence = await keyedAnswerOf(nonceOf(record), spki, shown)
    const proof = { kind: 'challenge' as const, challengeId: record.id, lease, evidence }
    return { ...KEY, proof, wrapKey: spki, format: 'hpke', ...how.request }
  }
  const admin = new Administration(options)
  if (parts.isEmpty !== true) {
    await gate.gate.openLease({ lease: leaseId(), order: orderOf(), policy, hostData: null })
    take(await admin.register({ ...KEY, secret: SECRET, policy, limits: parts.limits ?? LIMITLESS }, ONE))
  }
  return {
    ...{ broker, options, openAudit, file, store, vault, gate, errors, request, admin },
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
    entries: async () => (await plain.auditRows(0, 10_000)).map((row) => JSON.parse(row.entry)),
    sql: (text, ...values) => {
      const database = new DatabaseSync(file, { enableForeignKeyConstraints: false })
      database.prepare(text).run(...values)
      database.close()
    },
  }
}

/** What was found, as rows look at it. */
export const findingsOf = (answer: ReleaseAnswer) => (answer.released ? [] : answer.findings)
