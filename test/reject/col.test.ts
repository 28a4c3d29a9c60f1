import { describe, expect, it, test } from 'vitest'
import { type CollateralFacts, type CollateralRules, judgeCollateral } from '../../src/attestation/collateral-rules.ts'
import type { HttpAnswer, HttpFailure } from '../../src/collateral/exchange.ts'
import { judgeAnswer } from '../../src/collateral/response.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { accepted, refused, row } from './row.ts'
import { cpu, cpuPolicy, cpuScene, judged, NOW, secondsOf } from './stage.ts'

const DAY = 86_400

/** Intel's TCB info of one platform, issued a day ago for thirty days. */
const TCB_INFO: CollateralFacts = {
  id: 'intel-tcb-info/00906ED50000',
  subject: '00906ED50000',
  digest: 'aa'.repeat(32),
  issuedAt: NOW - DAY,
  validUntil: NOW + 29 * DAY,
  evaluationNumber: 17,
  sequenceNumber: undefined,
}
const CRL: CollateralFacts = {
  id: 'amd-crl/Genoa',
  subject: 'Genoa',
  digest: 'bb'.repeat(32),
  issuedAt: NOW - DAY,
  validUntil: NOW + 300 * DAY,
  evaluationNumber: undefined,
  sequenceNumber: 4n,
}
const RIM: CollateralFacts = {
  id: 'nvidia-rim/NV_GPU_DRIVER_GH100_550.144.03',
  subject: 'GH100',
  digest: 'cc'.repeat(32),
  issuedAt: NOW - DAY,
  validUntil: NOW + 300 * DAY,
  evaluationNumber: undefined,
  sequenceNumber: undefined,
}
const NEVER_SEEN = {
  evaluationNumber: undefined,
  sequenceNumber: undefined,
  issuedAt: undefined,
  pinnedDigest: undefined,
}

const judge = (object: CollateralFacts, change: Partial<CollateralFacts> = {}, rules: Partial<CollateralRules> = {}) =>
  judgeCollateral(
    { ...object, ...change },
    {
      now: NOW,
      maxAgeSeconds: undefined,
      minEvaluationNumber: undefined,
      subject: object.subject,
      seen: undefined,
      ...rules,
    },
  )

describe('an object that was proved', () => {
  row('RJ-COL-01', {
    twin: () => judge(TCB_INFO, { validUntil: NOW + 1 }),
    bad: {
      'ends now': () => judge(TCB_INFO, { validUntil: NOW }),
      'ended a second ago': () => judge(TCB_INFO, { validUntil: NOW - 1 }),
      'a list': () => judge(CRL, { validUntil: NOW - 1 }),
    },
  })
  row('RJ-COL-02', {
    twin: () => judge(TCB_INFO, { issuedAt: NOW }),
    bad: () => judge(TCB_INFO, { issuedAt: NOW + 1 }),
  })
  row('RJ-COL-03', {
    twin: {
      'TCB info': () => judge(TCB_INFO, {}, { maxAgeSeconds: DAY }),
      'under a policy': () => aged('2026-07-31T00:00:00Z', DAY),
    },
    bad: {
      'TCB info': () => judge(TCB_INFO, {}, { maxAgeSeconds: DAY - 1 }),
      'under a policy': () => aged('2026-07-30T23:59:59Z', DAY),
    },
  })
  row('RJ-COL-04', {
    twin: () => judge(TCB_INFO),
    bad: {
      'TCB info of another platform': () => judge(TCB_INFO, { subject: '50806F000000' }),
      'a list of another product': () => judge(CRL, { subject: 'Turin' }),
    },
  })
  row('RJ-COL-05', {
    twin: () => judge(TCB_INFO, {}, { minEvaluationNumber: 17 }),
    bad: {
      'one below': () => judge(TCB_INFO, {}, { minEvaluationNumber: 18 }),
      'no number': () => judge(TCB_INFO, { evaluationNumber: undefined }, { minEvaluationNumber: 0 }),
    },
  })
  const seen17 = { ...NEVER_SEEN, evaluationNumber: 17 }
  row('RJ-COL-06', {
    twin: () => [
      ...judge(TCB_INFO, {}, { seen: { ...seen17, issuedAt: TCB_INFO.issuedAt } }),
      ...judge(TCB_INFO, { evaluationNumber: 18 }, { seen: { ...seen17, issuedAt: NOW } }),
    ],
    bad: {
      'one below': () => judge(TCB_INFO, { evaluationNumber: 16 }, { seen: seen17 }),
      'no number any more': () => judge(TCB_INFO, { evaluationNumber: undefined }, { seen: seen17 }),
      'the same number, issued before': () => judge(TCB_INFO, {}, { seen: { ...seen17, issuedAt: NOW - DAY + 1 } }),
    },
  })
  const seen4 = { ...NEVER_SEEN, sequenceNumber: 4n }
  row('RJ-COL-07', {
    twin: () => judge(CRL, {}, { seen: { ...seen4, issuedAt: CRL.issuedAt } }),
    bad: {
      'one below': () => judge(CRL, { sequenceNumber: 3n }, { seen: seen4 }),
      'no number any more': () => judge(CRL, { sequenceNumber: undefined }, { seen: seen4 }),
      'without numbers, issued before': () =>
        judge(CRL, { sequenceNumber: undefined }, { seen: { ...NEVER_SEEN, issuedAt: CRL.issuedAt + 1 } }),
      'a number beyond 64 bits was seen': () =>
        judge(CRL, {}, { seen: { ...NEVER_SEEN, sequenceNumber: 2n ** 64n + 3n } }),
    },
  })
  row('RJ-COL-08', {
    twin: () => judge(RIM, {}, { seen: { ...NEVER_SEEN, pinnedDigest: RIM.digest } }),
    bad: () => judge(RIM, { digest: 'dd'.repeat(32) }, { seen: { ...NEVER_SEEN, pinnedDigest: RIM.digest } }),
  })
})

/** A machine whose revocation list was issued then, under a policy that bounds its age. */
const aged = (thisUpdate: string, maxAgeSeconds: number) =>
  judged(cpuScene(cpu({ crl: { thisUpdate } })), { policy: cpuPolicy({}, { collateral: { maxAgeSeconds } }) })

it('a list past its end is stale before it is too old', async () => {
  const crl = { thisUpdate: '2026-06-01T00:00:00Z', nextUpdate: '2026-07-31T23:59:59Z' }
  expect(secondsOf(crl.nextUpdate)).toBe(NOW - 1)
  const policy = cpuPolicy({}, { collateral: { maxAgeSeconds: DAY } })
  refused(await judged(cpuScene(cpu({ crl })), { policy }), ['CRL_STALE'])
})

describe('an answer of a vendor', () => {
  const CRL_OF_AMD = {
    object: 'amd-crl/Genoa/vcek',
    host: 'kdsintf.amd.com',
    contentTypes: ['application/pkix-crl'],
    maxBytes: 1024,
    absence: 'none',
  }
  const judgedAnswer = (answer: HttpAnswer) => {
    const problem = judgeAnswer(answer, CRL_OF_AMD)
    return problem === undefined ? [] : [problem]
  }
  const PKIX = 'application/pkix-crl'
  const answer = (
    headers: Record<string, string> = { 'content-type': PKIX },
    change: Partial<HttpAnswer & { kind: 'response' }> = {},
  ) =>
    judgedAnswer({
      kind: 'response',
      status: 200,
      headers: new Map(Object.entries(headers)),
      bytes: cpu().crl.subarray(0, 1024),
      host: 'kdsintf.amd.com',
      ...change,
    })
  const failed = (failure: HttpFailure) => judgedAnswer({ kind: 'failed', failure, detail: 'as tested' })
  row('RJ-COL-09', {
    twin: () => answer(),
    bad: {
      'HTML with status 200': () =>
        answer({ 'content-type': 'text/html' }, { bytes: utf8('<html>Please log in</html>') }),
      'HTML with a charset': () => answer({ 'content-type': 'text/html; charset=utf-8' }),
      'no type': () => answer({}),
      compressed: () => answer({ 'content-type': PKIX, 'content-encoding': 'gzip' }),
      'from another host': () => answer(undefined, { host: 'kdsintf.amd.com.example' }),
      'an error of another host': () => answer(undefined, { host: 'login.example', status: 503 }),
      'one byte more than was to be read': () => answer(undefined, { bytes: new Uint8Array(1025) }),
      'no HTTP': () => failed('malformed'),
      'a redirect to another host': {
        code: 'COLLATERAL_REDIRECTED',
        check: () => answer({ location: 'https://login.example/?from=kds' }, { status: 302 }),
      },
      'a body that was not read to its end': { code: 'COLLATERAL_OVERSIZE', check: () => failed('oversize') },
    },
  })
  row('RJ-COL-10', {
    twin: () => answer({ 'content-type': 'Application/PKIX-CRL ; q=1' }),
    bad: {
      'no connection': () => failed('unreachable'),
      'no such name': { code: 'COLLATERAL_HOST_UNKNOWN', check: () => failed('host-unknown') },
      'no secure connection': { code: 'COLLATERAL_TLS_FAILED', check: () => failed('tls') },
      'no answer in time': { code: 'COLLATERAL_DEADLINE_PASSED', check: () => failed('timeout') },
    },
  })

  test.each([
    ['COLLATERAL_NOT_PUBLISHED', 404],
    ['COLLATERAL_NOT_PUBLISHED', 410],
    ['COLLATERAL_THROTTLED', 429],
    ['COLLATERAL_VENDOR_FAILED', 500],
    ['COLLATERAL_VENDOR_FAILED', 503],
    ['COLLATERAL_REQUEST_REFUSED', 400],
    ['COLLATERAL_REQUEST_REFUSED', 401],
    ['COLLATERAL_REQUEST_REFUSED', 204],
    ['COLLATERAL_REDIRECTED', 301],
    ['COLLATERAL_REDIRECTED', 304],
  ] as const)('%s: status %i', (code, status) => {
    accepted(answer())
    refused(answer(undefined, { status }), [code])
  })

  test('COLLATERAL_EMPTY and COLLATERAL_TRUNCATED', () => {
    refused(answer(undefined, { bytes: new Uint8Array() }), ['COLLATERAL_EMPTY'])
    refused(failed('truncated'), ['COLLATERAL_TRUNCATED'])
  })

  test('of a redirect only the origin is told', () => {
    const [told] = answer({ location: 'https://login.example/?token=secret' }, { status: 302 })
    expect(told?.actual).toBe('kdsintf.amd.com: 302 to https://login.example')
  })
})
