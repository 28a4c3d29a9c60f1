import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { toBase64 } from '../../src/core/encodings.ts'
import { take } from '../../src/core/outcome.ts'
import { nodeRandom } from '../../src/gate/node-ports.ts'
import { fileAnchor, openWrapped, type Released, type ReleaseRequest } from '../../src/release/index.ts'
import { anchoredLog } from '../../src/service/audit-proofs.ts'
import { postgresReleaseStore, postgresStore } from '../../src/stores/index.ts'
import { newFile, newKekFile } from '../release/files.ts'
import {
  FOR_GUESTS,
  KEY,
  KEY_POLICY,
  LIMITLESS,
  ONE,
  SECRET,
  TENANT,
  type TestBroker,
  type TestParts,
  testBroker,
  X25519,
} from '../release/support.ts'
import { rounds } from '../stores/release-contract.ts'
import { searchFor } from '../support/planted.ts'
import { POSTGRES, type PostgresServer, postgresServer } from '../support/postgres.ts'
import { describeWith } from '../support/tools.ts'
import { guestKey, KbsClient } from './kbs-client.ts'
import { serviceOver, snpGuest, type TestService, TOKENS } from './support.ts'

/** 64 requests at once for each. */
const ROUNDS = rounds(3)
const RACERS = 64
/** What is searched for: VOUCHSAFE_PLANTED, of which 1,000 is the figure that counts. */
const PLANTED = Number(process.env.VOUCHSAFE_PLANTED ?? 200)

/** The clock of these tests stands still, so that no bucket is ever filled again. */
const UNLIMITED = { burst: Number.MAX_SAFE_INTEGER, perSecond: 1 }

interface Replica extends TestService {
  readonly t: TestBroker
}

describeWith([POSTGRES], 'two replicas on one PostgreSQL', () => {
  let server: PostgresServer
  beforeAll(() => {
    server = postgresServer(['-c', 'log_statement=all'])
  })
  afterAll(() => server.stop())

  /** One process's worth of a service: its own pools, vault, view and anchor. */
  async function replica(connectionString: string, kekFile: string, parts: TestParts = {}): Promise<Replica> {
    const stores = {
      gate: await postgresStore({ connectionString }),
      release: await postgresReleaseStore({ connectionString }),
    }
    onTestFinished(async () => {
      await stores.gate.close()
      await stores.release.close()
    })
    const anchorFile = newFile('anchor')
    const t = await testBroker({ stores, kekFile, anchorFile, gate: { random: nodeRandom }, ...parts })
    const isReady = () => anchoredLog(stores.release, fileAnchor(anchorFile))
    return { t, ...(await serviceOver(t, { isReady, rateLimit: UNLIMITED })) }
  }

  async function pair(first: TestParts = {}, second: TestParts = {}): Promise<{ url: string; a: Replica; b: Replica }> {
    const [url, kekFile] = [await server.database(), await newKekFile()]
    const a = await replica(url, kekFile, first)
    return { url, a, b: await replica(url, kekFile, { isEmpty: true, ...second }) }
  }

  const post = async ({ base }: TestService, path: string, body: unknown) => {
    const answer = await fetch(`${base}${path}`, { method: 'POST', body: JSON.stringify(body) })
    return {
      status: answer.status,
      body: (await answer.json()) as { released?: boolean; findings?: { code: string }[] },
    }
  }
  const release = (at: TestService, { proof, wrapKey, ...request }: ReleaseRequest) => {
    if (proof.kind !== 'challenge' || !(proof.evidence instanceof Uint8Array))
      throw new TypeError('a request of a lease')
    const { challengeId, lease, evidence } = proof
    const sent = { challengeId, lease, evidence: toBase64(evidence) }
    return post(at, '/v1/releases', { ...request, ...sent, wrapKey: wrapKey && toBase64(wrapKey) })
  }
  const codesOf = ({ body }: Awaited<ReturnType<typeof post>>) =>
    body.released === true ? ['released'] : (body.findings ?? []).map(({ code }) => code)

  it('carry a session from one to the other: asked at one, attested at the other, the key from the first', async () => {
    const { a, b } = await pair({ limits: FOR_GUESTS })
    const guest = { key: guestKey('P-256'), attester: snpGuest(), tee: 'snp' }
    const [atA, atB] = [new KbsClient(a.base, guest), new KbsClient(b.base, guest)]
    await a.t.admin.register(
      { tenant: TENANT, keyId: 'weights/llama', secret: SECRET, policy: KEY_POLICY, limits: FOR_GUESTS },
      ONE,
    )
    const { nonce } = (await atA.auth()).body as { nonce: string }
    atB.cookie = atA.cookie
    expect((await atB.attest(nonce)).status).toBe(200)
    const answer = await atA.resource(`${TENANT}/weights/llama`)
    expect(atA.open(answer.body as never)).toEqual(Buffer.from(SECRET))
    expect((await atB.resource(`${TENANT}/weights/llama`)).status).toBe(401)
    expect([...a.t.errors, ...b.t.errors]).toEqual([])
  })

  it(`never give two keys for one challenge: ${RACERS} at once, ${ROUNDS} times`, { timeout: 600_000 }, async () => {
    const { a, b } = await pair()
    for (let round = 0; round < ROUNDS; round++) {
      const request = await a.t.request()
      const racers = Array.from({ length: RACERS }, (_, i) => release(i % 2 === 0 ? a : b, request))
      const codes = (await Promise.all(racers)).flatMap(codesOf).sort()
      expect(codes.filter((code) => code === 'released')).toHaveLength(1)
      expect(new Set(codes)).toEqual(new Set(['released', 'RELEASE_CHALLENGE_CONSUMED']))
    }
    expect([...a.t.vault.opened, ...b.t.vault.opened]).toHaveLength(ROUNDS)
    for (const one of [a, b]) expect(await (await fetch(`${one.base}/readyz`)).text()).toBe('ok\n')
    expect((await a.t.openAudit()).ok).toBe(true)
  })

  it('count limits together', async () => {
    const { a, b } = await pair({ limits: { ...LIMITLESS, releases: 3 } })
    await b.t.gate.gate.refresh()
    const asked = await Promise.all(Array.from({ length: 6 }, async (_, i) => ({ i, request: await a.t.request() })))
    const answers = await Promise.all(asked.map(({ i, request }) => release(i % 2 === 0 ? a : b, request)))
    expect(answers.flatMap(codesOf).sort()).toEqual([
      ...['RELEASE_KEY_LIMIT', 'RELEASE_KEY_LIMIT', 'RELEASE_KEY_LIMIT'],
      ...['released', 'released', 'released'],
    ])
    for (const { body } of answers.filter((answer) => answer.body.released === true)) {
      const { key, binding } = body as Released
      expect(take(await openWrapped(key, X25519.privateKey, binding))).toEqual(SECRET)
    }
  })

  it('refuse where one lags: its collateral is older than what the other has used', async () => {
    const { a, b } = await pair({}, { broker: { collateralEpoch: () => 6 } })
    expect(codesOf(await release(b, await b.t.request()))).toEqual(['released'])
    expect(codesOf(await release(a, await a.t.request()))).toEqual(['released'])
    expect(codesOf(await release(b, await b.t.request()))).toEqual(['RELEASE_REPLICA_STALE'])
    expect(b.t.vault.opened).toHaveLength(1)
  })

  const TRACE = { timeout: 600_000 }
  it(`leave no trace of ${PLANTED} keys in the database, its log, the services' logs and metrics`, TRACE, async () => {
    const { url, a, b } = await pair()
    const planted = Array.from({ length: PLANTED }, () => randomBytes(32))
    const found = searchFor(planted)
    const register = async (secret: Buffer, i: number) => {
      const body = { secret: secret.toString('base64'), policy: KEY_POLICY, limits: LIMITLESS }
      const answer = await fetch(`${(i % 2 === 0 ? a : b).base}/v1/tenants/${TENANT}/keys/planted-${i}`, {
        ...{ method: 'PUT', body: JSON.stringify(body), headers: { authorization: `Bearer ${TOKENS.alice}` } },
      })
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
    for (let from = 0; from < PLANTED; from += 50)
      await Promise.all(planted.slice(from, from + 50).map((secret, i) => register(secret, from + i)))
    for (const i of [0, PLANTED - 1]) {
      const request = { ...(await a.t.request()), tenant: KEY.tenant, keyId: `planted-${i}` }
      const { body } = await release(i === 0 ? a : b, request)
      const { key, binding } = body as Released
      expect(
        Buffer.from(take(await openWrapped(key, X25519.privateKey, binding))).equals(planted[i] ?? Buffer.of()),
      ).toBe(true)
    }
    const dump = Buffer.from(server.dump(url))
    const seen = [dump, server.log(), Buffer.from(JSON.stringify([a.lines, b.lines, a.t.errors, b.t.errors]))]
    for (const { base } of [a, b]) seen.push(Buffer.from(await (await fetch(`${base}/metrics`)).text()))
    expect(dump.includes(`planted-${PLANTED - 1}`)).toBe(true)
    expect(seen.map(found)).toEqual(seen.map(() => 0))
    expect(found(Buffer.from(`{"k":"${planted[1]?.toString('base64')}"}`))).toBeGreaterThan(0)
  })
})
