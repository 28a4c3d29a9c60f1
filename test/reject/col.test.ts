import { describe, expect, it } from 'vitest'
import { type CollateralFacts, type CollateralRules, judgeCollateral } from '../../src/attestation/collateral-rules.ts'
import { judgeAnswer, type VendorAnswer } from '../../src/collateral/response.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { refused, row } from './row.ts'
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
  const CRL_OF_AMD = { host: 'kdsintf.amd.com', contentTypes: ['application/pkix-crl'], maxBytes: 1024 }
  const answer = (change: Partial<VendorAnswer & { kind: 'response' }> = {}) =>
    judgeAnswer(
      {
        kind: 'response',
        status: 200,
        contentType: 'application/pkix-crl',
        bytes: cpu().crl.subarray(0, 1024),
        host: 'kdsintf.amd.com',
        ...change,
      },
      CRL_OF_AMD,
    )
  row('RJ-COL-09', {
    twin: () => answer(),
    bad: {
      'HTML with status 200': () => answer({ contentType: 'text/html', bytes: utf8('<html>Please log in</html>') }),
      'HTML with a charset': () => answer({ contentType: 'text/html; charset=utf-8' }),
      'no type': () => answer({ contentType: '' }),
      'from another host': () => answer({ host: 'kdsintf.amd.com.example' }),
      'an error of another host': () => answer({ host: 'login.example', status: 503 }),
      'one byte too many': () => answer({ bytes: new Uint8Array(1025) }),
      'no bytes': () => answer({ bytes: new Uint8Array() }),
    },
  })
  row('RJ-COL-10', {
    twin: () => answer({ contentType: 'Application/PKIX-CRL ; q=1' }),
    bad: {
      'no connection': () => judgeAnswer({ kind: 'unreachable', because: 'ECONNREFUSED' }, CRL_OF_AMD),
      'no answer in time': () => judgeAnswer({ kind: 'unreachable', because: 'timeout' }, CRL_OF_AMD),
      'not found': () => answer({ status: 404 }),
      'too many requests': () => answer({ status: 429 }),
      'an error of the vendor': () => answer({ status: 500 }),
    },
  })
})
