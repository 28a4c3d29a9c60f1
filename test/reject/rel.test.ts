import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Outcome, take } from '../../src/core/outcome.ts'
import { type Decision, digestOfPolicy, verify } from '../../src/index.ts'
import { canonicalPolicy } from '../../src/policy/digest.ts'
import type { ReleaseAnswer, ReleaseRequest } from '../../src/release/answer.ts'
import { wrapKeyOfJwk } from '../../src/release/wrap/index.ts'
import { NODE_FLAGS } from '../cli/run.ts'
import { leaseId, OTHER, orderOf, trustingTestAnchors } from '../gate/support.ts'
import { FOLDER_VARIABLE, folder, newFile, newKekFile } from '../release/files.ts'
import {
  FOR_GUESTS,
  findingsOf,
  KEY,
  KEY_POLICY,
  kbsJwk,
  LIMITLESS,
  ONE,
  P256,
  SECRET,
  spkiOf,
  type TestBroker,
  type TestParts,
  TWO,
  testBroker,
  X25519,
} from '../release/support.ts'
import { row, rowTitle } from './row.ts'
import { MEASUREMENT, SIGNED_BY_TEAM } from './signer.ts'
import { cpuPolicy } from './stage.ts'

/** Releases that a case made before the one that is looked at. */
const opened = new WeakMap<TestBroker, number>()

/** What was found; where anything was, the vault opened nothing for it. */
function told(t: TestBroker, answer: ReleaseAnswer) {
  const before = opened.get(t) ?? 0
  expect(t.vault.opened).toHaveLength(before + (answer.released ? 1 : 0))
  opened.set(t, t.vault.opened.length)
  return findingsOf(answer)
}

const asked = async (parts: TestParts = {}, how: Parameters<TestBroker['ask']>[0] = {}) => {
  const t = await testBroker(parts)
  return told(t, await t.ask(how))
}

/** A store before whose next transaction of a release something happens. */
const meanwhile =
  (happens: () => Promise<unknown>): NonNullable<TestParts['before']> =>
  (store) => {
    let isTime = false
    return new Proxy(store, {
      get: (_, name: keyof typeof store) => {
        if (name === 'epochs') isTime = true
        if (name !== 'recordRelease') return typeof store[name] === 'function' ? store[name].bind(store) : store[name]
        return async (...args: Parameters<typeof store.recordRelease>) => {
          if (isTime) {
            isTime = false
            await happens()
          }
          return store.recordRelease(...args)
        }
      },
    })
  }

async function interrupted(happens: (t: TestBroker) => Promise<unknown>, parts: TestParts = {}) {
  const holder: { t?: TestBroker } = {}
  const t = await testBroker({ ...parts, before: meanwhile(async () => holder.t && happens(holder.t)) })
  holder.t = t
  return told(t, await t.ask())
}

async function repeated(times: number) {
  const t = await testBroker()
  const request = await t.request()
  let found: ReturnType<typeof told> = []
  for (let i = 0; i < times; i++) found = told(t, await t.broker.release(request))
  return found
}

row('RJ-REL-01', { twin: () => repeated(1), bad: () => repeated(2) })

const ROUNDS = Number(process.env.VOUCHSAFE_RELEASE_ROUNDS ?? 2)
const AT_ONCE = 64

test(`${rowTitle('RJ-REL-02')} (${ROUNDS} rounds)`, async () => {
  const file = newFile('db')
  const kekFile = await newKekFile()
  const replicas = [await testBroker({ file, kekFile }), await testBroker({ file, kekFile, isEmpty: true })]
  for (let round = 0; round < ROUNDS; round++) {
    const request = (await replicas[0]?.request()) as ReleaseRequest
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, i) => (replicas[i % 2] as TestBroker).broker.release(request)),
    )
    const lost = answers.flatMap(findingsOf).map((f) => f.code)
    expect(answers.filter((a) => a.released)).toHaveLength(1)
    expect(lost).toEqual(Array.from({ length: AT_ONCE - 1 }, () => 'RELEASE_CHALLENGE_CONSUMED'))
    expect(replicas.flatMap((t) => t.vault.opened)).toHaveLength(round + 1)
  }
})

async function withChallengeId(id: string | undefined) {
  const t = await testBroker()
  const request = await t.request()
  const proof = { ...request.proof, ...(id === undefined ? {} : { challengeId: id }) } as ReleaseRequest['proof']
  return told(t, await t.broker.release({ ...request, proof }))
}

row('RJ-REL-03', {
  twin: () => withChallengeId(undefined),
  bad: { 'a random id': () => withChallengeId(randomUUID()), 'an empty id': () => withChallengeId('') },
})

const close = (t: TestBroker) => t.gate.gate.closeLease(leaseId())

async function closedBefore() {
  const t = await testBroker()
  const request = await t.request()
  await close(t)
  return told(t, await t.broker.release(request))
}

row('RJ-REL-04', {
  twin: () => interrupted(async () => undefined),
  bad: {
    'ended before the evidence came': closedBefore,
    'ended after the evidence was judged': () => interrupted(close),
    'moved to another provider': () =>
      interrupted(async (t) => {
        await close(t)
        const moved = { lease: leaseId('18412345', OTHER), order: orderOf(), policy: KEY_POLICY, hostData: null }
        await t.gate.gate.openLease(moved)
      }),
    'its hardware denied after the evidence was judged': () =>
      interrupted(async (t) => {
        const [machine] = await t.gate.options.store.leasesDue(Number.MAX_SAFE_INTEGER, 1)
        const [shown] = (machine?.state.machines ?? []) as unknown as { hardware: string[] }[]
        await t.gate.gate.deny({ kind: 'chip', value: shown?.hardware[0] ?? '', reason: 'leaked' })
      }),
    'unknown to whoever knows the tenants': () => asked({ broker: { tenantOf: () => undefined } }),
  },
})

/** AMD's revocation list is not at hand. */
async function withoutList(isMissing: boolean) {
  const plain = await testBroker()
  const source = plain.gate.options.collateral
  const collateral: typeof source = async (evidence) => ({
    ...(await source(evidence)),
    ...(isMissing ? { crls: [] } : {}),
  })
  return asked({ gate: { collateral } })
}

const LOW_POLICY = cpuPolicy({}, { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5 } }, { level: 2 })
const measured = (byte: number) => ({ shown: { amd: { report: { measurement: new Uint8Array(48).fill(byte) } } } })

row('RJ-REL-05', {
  twin: async () => [...(await asked()), ...(await asked({ policy: LOW_POLICY })), ...(await withoutList(false))],
  bad: {
    reject: () => asked({}, measured(9)),
    inconclusive: () => withoutList(true),
    'accepted on anchors that were injected': () => asked({ judge: verify }),
    'accepted below the level of keys': () =>
      asked({ policy: LOW_POLICY, judge: async (...args) => ({ ...(await trustingTestAnchors(...args)), level: 4 }) }),
    'the key of the evidence is not that of the challenge': async () => {
      const t = await testBroker()
      const [mine, other] = [await t.request(), await t.request({ key: P256.publicKey })]
      const proof = { ...mine.proof, evidence: (other.proof as typeof mine.proof & { evidence: Uint8Array }).evidence }
      return told(t, await t.broker.release({ ...mine, proof } as ReleaseRequest))
    },
  },
})

row('RJ-REL-06', {
  twin: async () => [...(await asked()), ...(await asked({}, { request: { wrapKey: null } }))],
  bad: {
    'another key': () => asked({}, { request: { wrapKey: spkiOf(generateKeyPairSync('x25519').publicKey) } }),
    'a key of another kind': () => asked({}, { request: { wrapKey: spkiOf(P256.publicKey) } }),
    'the key and a byte': () => asked({}, { request: { wrapKey: Uint8Array.from([...spkiOf(X25519.publicKey), 0]) } }),
  },
})

async function ofTenant(tenant: string) {
  const t = await testBroker()
  await t.admin.register({ tenant, keyId: KEY.keyId, secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }, TWO)
  return told(t, await t.ask({ request: { tenant } }))
}

const ANOTHER_POLICY = cpuPolicy({}, { ...SIGNED_BY_TEAM, name: 'another', keyRelease: { minLevel: 5 } }, { level: 5 })
const LEASE_TEXT = Object.values(leaseId()).join('/')

row('RJ-REL-07', {
  twin: async () => [
    ...(await ofTenant(KEY.tenant)),
    ...(await asked({ limits: { ...LIMITLESS, onlyLeases: [LEASE_TEXT] } })),
  ],
  bad: {
    'a key of another tenant': () => ofTenant('akash1other'),
    'a tenant without keys': () => asked({}, { request: { tenant: 'nobody' } }),
    'a key that does not exist': () => asked({}, { request: { keyId: 'weights-2' } }),
    'no name at all': () => asked({}, { request: { keyId: '\u0000' } }),
    'for other leases only': () => asked({ limits: { ...LIMITLESS, onlyLeases: ['a/1/1/1/b/0'] } }),
    'a lease under another policy than the key': async () => {
      const t = await testBroker()
      const key = { ...KEY, keyId: 'weights-2' }
      await t.admin.register({ ...key, secret: SECRET, policy: ANOTHER_POLICY, limits: LIMITLESS }, ONE)
      return told(t, await t.ask({ request: key }))
    },
  },
})

const later = (seconds: number) =>
  interrupted(async (t) => {
    t.gate.pass(seconds)
    await t.gate.gate.refresh()
  })

row('RJ-REL-08', {
  twin: () => later(119),
  bad: { 'two minutes later': () => later(120), 'an hour later': () => later(3600) },
})

async function second(limits: Partial<typeof LIMITLESS>, how: Parameters<TestBroker['ask']>[0] = {}, wait = 0) {
  const t = await testBroker({ limits: { ...LIMITLESS, ...limits } })
  const lease = how.lease ?? leaseId()
  if (how.lease !== undefined)
    await t.gate.gate.openLease({ lease, order: orderOf({}, lease.dseq), policy: KEY_POLICY, hostData: null })
  expect(told(t, await t.ask())).toEqual([])
  t.gate.pass(wait)
  return told(t, await t.ask(how))
}

async function administered(change: (t: TestBroker) => Promise<unknown>) {
  const t = await testBroker()
  await change(t)
  return told(t, await t.ask())
}

row('RJ-REL-09', {
  twin: {
    releases: () => second({ releases: 2 }),
    window: () => second({ window: { releases: 1, seconds: 60 } }, {}, 60),
    leases: () => second({ leases: 1 }),
    chips: () => second({ chips: 2 }, { shown: { chip: 'second' } }),
    suspended: async () => administered(async (t) => [await t.admin.suspend(KEY, ONE), await t.admin.resume(KEY, TWO)]),
    retired: () => administered(async () => undefined),
    'suspended meanwhile': () => interrupted(async () => undefined),
  },
  bad: {
    releases: () => second({ releases: 1 }),
    window: () => second({ window: { releases: 1, seconds: 60 } }, {}, 59),
    leases: () => second({ leases: 1 }, { lease: leaseId('2') }),
    chips: () => second({ chips: 1 }, { shown: { chip: 'second' } }),
    suspended: () => administered((t) => t.admin.suspend(KEY, ONE)),
    retired: () => administered((t) => t.admin.retire(KEY, ONE)),
    'suspended meanwhile': () => interrupted((t) => t.admin.suspend(KEY, ONE)),
  },
})

const pairs = {
  p384: generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey,
  p521: generateKeyPairSync('ec', { namedCurve: 'P-521' }).publicKey,
  rsa1024: generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey,
  rsa2048: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey,
}
const jwe = { request: { format: 'jwe', wrapKey: null } } as const
const offCurve = spkiOf(P256.publicKey).map((byte, i, all) => (i === all.length - 1 ? byte ^ 1 : byte))

row('RJ-REL-10', {
  twin: async () => [
    ...(await asked()),
    ...(await asked({}, { key: P256.publicKey })),
    ...(await asked({}, { key: P256.publicKey, ...jwe })),
    ...(await asked({}, { key: pairs.p521, ...jwe })),
    ...(await asked({}, { key: pairs.rsa2048, ...jwe })),
  ],
  bad: {
    'P-384': () => asked({}, { key: pairs.p384 }),
    'a point off its curve': () => asked({}, { spki: offCurve, request: { wrapKey: null } }),
    'RSA of 1024 bits': () => asked({}, { key: pairs.rsa1024, ...jwe }),
    'RSA under hpke': () => asked({}, { key: pairs.rsa2048 }),
    'X25519 as a JWE': () => asked({}, { ...jwe }),
    'X25519 of small order': () =>
      asked(
        {},
        {
          spki: Buffer.concat([Buffer.from('302a300506032b656e032100', 'hex'), Buffer.alloc(32)]),
          request: { wrapKey: null },
        },
      ),
    'no public key': () => asked({}, { spki: Uint8Array.of(1, 2, 3), request: { wrapKey: null } }),
    'RSA1_5 in a session': async () => {
      const read = wrapKeyOfJwk({ ...kbsJwk(pairs.rsa2048), alg: 'RSA1_5' }, 'tee-pubkey')
      return read.ok ? [] : read.faults
    },
  },
})

/** @param judged what ours is once the evidence is judged: somebody has the collateral read anew */
async function behind(ours: number | null, theirs: number, judged = ours) {
  const file = newFile('db')
  const kekFile = await newKekFile()
  const other = await testBroker({ file, kekFile, broker: { collateralEpoch: () => theirs } })
  expect(told(other, await other.ask())).toEqual([])
  let epoch = ours
  const epochs = new WeakMap<Decision, number | null>()
  const judge: typeof trustingTestAnchors = async (...about) => {
    const decision = await trustingTestAnchors(...about)
    epochs.set(decision, epoch)
    epoch = judged
    return decision
  }
  const collateralEpoch = (decision: Decision) => epochs.get(decision) ?? null
  const t = await testBroker({ file, kekFile, isEmpty: true, judge, broker: { collateralEpoch } })
  // Both gates of the test draw the same ids, one after the other.
  for (let i = 0; i < 8; i++) t.gate.options.random(16)
  return told(t, await t.ask())
}

row('RJ-REL-11', {
  twin: async () => [
    ...[...(await behind(7, 7)), ...(await behind(8, 7)), ...(await behind(7, 7, 8))],
    // What has no number is behind nobody.
    ...(await behind(null, 7)),
  ],
  bad: {
    'collateral of an epoch before': () => behind(6, 7),
    'collateral that was read anew once the evidence was judged by the old': () => behind(6, 7, 7),
    'a key that was replaced meanwhile': () =>
      interrupted((t) => t.admin.register({ ...KEY, secret: SECRET, policy: ANOTHER_POLICY, limits: LIMITLESS }, TWO)),
    'limits that were changed meanwhile': () =>
      interrupted((t) => t.admin.changeLimits(KEY, { ...LIMITLESS, releases: 9 }, ONE)),
  },
})

async function edited(sql: string, ...values: (string | number)[]) {
  const t = await testBroker()
  t.sql(sql, ...values)
  return told(t, await t.ask())
}

const OPEN_POLICY = cpuPolicy(
  {},
  { name: 'row', ...SIGNED_BY_TEAM, acceptRisks: ['open-quote-oracle'], keyRelease: { minLevel: 3 } },
)
const OPEN = { text: new TextDecoder().decode(canonicalPolicy(OPEN_POLICY)), digest: await digestOfPolicy(OPEN_POLICY) }

row('RJ-REL-12', {
  twin: () => edited('UPDATE release_key SET state = state'),
  bad: {
    'text and digest': () => edited('UPDATE release_key SET policy = ?, policy_digest = ?', OPEN.text, OPEN.digest),
    text: () => edited('UPDATE release_key SET policy = ?', OPEN.text),
    'one letter of the text': () => edited(`UPDATE release_key SET policy = replace(policy, '"level":5', '"level":1')`),
    digest: () => edited('UPDATE release_key SET policy_digest = ?', OPEN.digest),
  },
})

async function moved(tenant: string) {
  const t = await testBroker({ broker: { tenantOf: () => tenant } })
  t.sql('UPDATE release_key SET tenant = ?', tenant)
  return told(t, await t.ask({ request: { tenant } }))
}

row('RJ-REL-13', {
  twin: () => moved(KEY.tenant),
  bad: {
    'to another tenant': () => moved('akash1thief'),
    'to another id': async () => {
      const t = await testBroker()
      t.sql('UPDATE release_key SET key_id = ?', 'weights-2')
      return told(t, await t.ask({ request: { keyId: 'weights-2' } }))
    },
    'limits lifted': () => edited(`UPDATE release_key SET limits = '${JSON.stringify({ ...LIMITLESS, releases: 1 })}'`),
    'ciphertext of another key in its place': async () => {
      const t = await testBroker()
      await t.admin.register({ ...KEY, keyId: 'w2', secret: SECRET, policy: KEY_POLICY, limits: LIMITLESS }, ONE)
      t.sql(
        `UPDATE release_key SET data = (SELECT data FROM release_key WHERE key_id = 'w2') WHERE key_id = ?`,
        KEY.keyId,
      )
      return told(t, await t.ask())
    },
    'changed between proof and transaction': () =>
      interrupted(async (t) =>
        t.sql(`UPDATE release_key SET limits = '${JSON.stringify({ ...LIMITLESS, releases: 9 })}'`),
      ),
  },
})

const flipped = (bit: number) =>
  edited(
    `UPDATE release_key SET data = substr(data, 1, ${bit}) || CASE substr(data, ${bit + 1}, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(data, ${bit + 2})`,
  )

row('RJ-REL-14', {
  twin: () => edited('UPDATE release_key SET data = data'),
  bad: {
    'in the nonce': () => flipped(1),
    'in the ciphertext': () => flipped(24),
    'of the mac': () => edited(`UPDATE release_key SET mac = substr(mac, 1, 22) || 'AAAA' || substr(mac, 27)`),
  },
})

async function stolen(hasKek: boolean) {
  const [file, kekFile] = [newFile('db'), await newKekFile()]
  await testBroker({ file, kekFile })
  const t = await testBroker({ file, kekFile: hasKek ? kekFile : await newKekFile(), isEmpty: true })
  for (let i = 0; i < 8; i++) t.gate.options.random(16)
  return told(t, await t.ask())
}

row('RJ-REL-15', { twin: () => stolen(true), bad: () => stolen(false) })

/** The database refuses what the trigger says, as a full disk makes it. */
async function refusing(table: 'audit' | 'release' | undefined) {
  const t = await testBroker()
  if (table !== undefined)
    t.sql(`CREATE TRIGGER full BEFORE INSERT ON "${table}" BEGIN SELECT raise(ABORT, 'database or disk is full'); END`)
  return told(t, await t.ask())
}

row('RJ-REL-16', {
  twin: () => refusing(undefined),
  bad: {
    'the log takes no row': () => refusing('audit'),
    'the release cannot be written beside it': () => refusing('release'),
    'the store is closed': async () => {
      const t = await testBroker()
      const request = await t.request()
      await t.store.close()
      return told(t, await t.broker.release(request))
    },
    'the anchor cannot be moved': async () => {
      const place = newFile('anchors')
      mkdirSync(place)
      const t = await testBroker({ anchorFile: join(place, 'anchor') })
      const request = await t.request()
      rmSync(place, { recursive: true })
      return told(t, await t.broker.release(request))
    },
  },
})

/** The log is verified when a process starts; three releases are in it, and its end is anchored. */
async function restarted(...statements: readonly string[]) {
  const t = await testBroker()
  for (let i = 0; i < 3; i++) expect(told(t, await t.ask())).toEqual([])
  // What guards the rows guards them from mistakes: whoever can write the database can take it away.
  t.sql('DROP TRIGGER audit_kept')
  t.sql('DROP TRIGGER audit_fixed')
  for (const statement of statements) t.sql(statement)
  return t.openAudit()
}

row('RJ-REL-17', {
  twin: () => restarted(),
  bad: {
    'a word of an entry': () =>
      restarted(`UPDATE audit SET entry = replace(entry, 'key.released', 'key.refused') WHERE sequence = 2`),
    'a row dropped': () => restarted('DELETE FROM audit WHERE sequence = 2'),
    'the first row dropped': () => restarted('DELETE FROM audit WHERE sequence = 1'),
    'rows renumbered': () =>
      restarted('DELETE FROM audit WHERE sequence = 2', 'UPDATE audit SET sequence = sequence - 1 WHERE sequence > 2'),
    'its end cut off': () => restarted('DELETE FROM audit WHERE sequence = 4'),
    'all of it cut off': () => restarted('DELETE FROM audit'),
  },
})

const clockSet = (seconds: number) =>
  interrupted(async (t) => {
    t.gate.pass(seconds)
    await t.gate.gate.refresh()
  })

row('RJ-REL-18', {
  twin: () => clockSet(0),
  bad: { 'an hour back': () => clockSet(-3600), 'a minute back': () => clockSet(-60) },
})

const MEASUREMENTS = Number(process.env.VOUCHSAFE_RELEASE_PROBES ?? 12)

test(`${rowTitle('RJ-REL-19')} (${MEASUREMENTS} measurements)`, async () => {
  const t = await testBroker()
  const right = await t.ask()
  expect(told(t, right)).toEqual([])
  const seen = new Set<string>()
  for (let n = 0; n < MEASUREMENTS; n++) {
    const report = new Uint8Array(48).fill(255)
    new DataView(report.buffer).setUint32(0, n)
    const answer = await t.ask({ shown: { amd: { report: { measurement: report } } } })
    expect(told(t, answer).map((f) => f.code)).toEqual(['RELEASE_NOT_ACCEPTED'])
    seen.add(JSON.stringify(answer))
  }
  expect(seen.size).toBe(1)
  const [answer = ''] = seen
  const isEchoed = (text: string) => answer.includes(text)
  expect([SIGNED_BY_TEAM.referenceValues, MEASUREMENT].map((v) => isEchoed(String(v)))).toEqual([false, false])
})

const change = async (ask: (t: TestBroker) => Promise<Outcome<unknown>>) => ask(await testBroker({ limits: FEW }))
const FEW = { ...LIMITLESS, releases: 2, leases: 2, chips: 2, window: { releases: 2, seconds: 60 } }
const bySuspended = (approval: typeof ONE) => async (t: TestBroker) => {
  await t.admin.suspend(KEY, ONE)
  return t.admin.resume(KEY, approval)
}
const toLimits = (limits: Partial<typeof LIMITLESS>, approval: typeof ONE) => (t: TestBroker) =>
  t.admin.changeLimits(KEY, { ...FEW, ...limits } as typeof LIMITLESS, approval)
const again = (approval: typeof ONE) => (t: TestBroker) =>
  t.admin.register({ ...KEY, secret: SECRET, policy: ANOTHER_POLICY, limits: FEW }, approval)

const WIDER: Readonly<Record<string, Partial<typeof LIMITLESS>>> = {
  releases: { releases: 3 },
  leases: { leases: 'unlimited' },
  chips: { chips: 3 },
  'more in the window': { window: { releases: 3, seconds: 60 } },
  'a shorter window': { window: { releases: 2, seconds: 59 } },
  'no window': { window: 'unlimited' },
}
const widerBy = (approval: typeof ONE) =>
  Object.fromEntries(Object.entries(WIDER).map(([name, limits]) => [name, () => change(toLimits(limits, approval))]))

row('RJ-REL-20', {
  twin: {
    ...widerBy(TWO),
    resume: () => change(bySuspended(TWO)),
    'another policy': () => change(again(TWO)),
    'approved by oneself': () => change(bySuspended(TWO)),
    'approved by nobody': () => change(bySuspended(TWO)),
  },
  bad: {
    ...widerBy(ONE),
    resume: () => change(bySuspended(ONE)),
    'another policy': () => change(again(ONE)),
    'approved by oneself': () => change(bySuspended({ by: 'alice', approvedBy: 'ALICE' })),
    'approved by nobody': () => change(bySuspended({ by: 'alice', approvedBy: '' })),
  },
})

test(rowTitle('RJ-REL-21'), { timeout: 60_000 }, async () => {
  const [file, kekFile] = [newFile('db'), await newKekFile()]
  const before = await testBroker({ file, kekFile })
  const request = await before.request()
  const proof = request.proof as Extract<ReleaseRequest['proof'], { kind: 'challenge' }>
  const asked = {
    challengeId: proof.challengeId,
    evidence: Buffer.from(proof.evidence as Uint8Array).toString('base64'),
  }
  const child = spawnSync(
    process.execPath,
    [...NODE_FLAGS, join(import.meta.dirname, '../release/kill-child.ts'), file, kekFile],
    {
      input: JSON.stringify(asked),
      encoding: 'utf8',
      env: { ...process.env, [FOLDER_VARIABLE]: folder },
    },
  )
  expect([child.signal, child.stdout, child.stderr]).toEqual(['SIGKILL', '', ''])
  const written = await before.entries()
  expect(written.at(-1)).toMatchObject({ type: 'key.released', challengeId: proof.challengeId })
  expect(told(before, await before.broker.release(request)).map((f) => f.code)).toEqual(['RELEASE_CHALLENGE_CONSUMED'])
  expect((await before.admin.show(KEY)).ok && (await before.admin.show(KEY))).toMatchObject({
    value: { releases: [{}] },
  })
  expect(told(before, await before.ask())).toEqual([])
})

test(rowTitle('RJ-REL-22'), async () => {
  const t = await testBroker({ limits: FOR_GUESTS })
  const mine = kbsJwk(P256.publicKey)
  const thief = kbsJwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
  for (let round = 0; round < ROUNDS; round++) {
    const session = take(await t.broker.openSession({ workload: 'inference', ttlSeconds: 60 }))
    const attested = await Promise.all([t.attest(session, { jwk: mine }), t.attest(session, { jwk: thief })])
    const proofs = attested.flatMap((a) => (a.ok ? [a.value] : []))
    expect(proofs).toHaveLength(1)
    expect(attested.flatMap((a) => (a.ok ? [] : a.faults.map((f) => f.code)))).toEqual(['RELEASE_CHALLENGE_CONSUMED'])
    const [proof] = proofs
    if (proof === undefined) throw new TypeError('one has won')
    const asks = Array.from({ length: 8 }, () => t.broker.release({ ...KEY, proof, wrapKey: null, format: 'jwe' }))
    const answers = await Promise.all(asks)
    expect(answers.filter((a) => a.released)).toHaveLength(1)
    expect(new Set(answers.flatMap(findingsOf).map((f) => f.code))).toEqual(new Set(['RELEASE_CHALLENGE_CONSUMED']))
  }
  expect(t.vault.opened).toHaveLength(ROUNDS)
})
