import { describe, expect, it } from 'vitest'
import { decodeChallenge, issueChallengeRecord } from '../../src/attestation/challenge.ts'
import type { Freshness } from '../../src/attestation/evidence-set/binding.ts'
import { concatBytes, utf8 } from '../../src/core/bytes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { take } from '../../src/core/outcome.ts'
import { compositeReportData, derivedGpuNonce, keyReportData } from '../../src/index.ts'
import { policyDigest } from '../../src/policy/digest.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { ecKey, type MachineDevice } from '../../src/testing/index.ts'
import { accepted, refused, row } from './row.ts'
import { MEASUREMENT, referenceValue, SIGNED_BY_TEAM } from './signer.ts'
import {
  ASKED,
  akashScene,
  amdAnchors,
  amdCollateral,
  bundle,
  bundleItem,
  cpu,
  cpuPolicy,
  cpuScene,
  gpuPolicy,
  gpuScene,
  gpus,
  type How,
  judged,
  LEASE,
  loneGpu,
  NONCE,
  NOW,
  nonceOf,
  nvidiaAnchors,
  nvidiaCollateral,
  type Scene,
} from './stage.ts'

const { digest } = nodeCrypto
const OTHER = await nonceOf('challenge B')
const DERIVED = await derivedGpuNonce(digest, NONCE, undefined)
const CPU = cpu()
const ONE = gpus()
const TWO = gpus({ gpuCount: 2 })

const POLICY = cpuPolicy()
const WITH_GPU: How = { policy: gpuPolicy(), lease: LEASE }
const WITH_TWO: How = {
  policy: gpuPolicy({ count: 2 }, { acceptRisks: ['plain-nvlink'] }),
  lease: { ...LEASE, gpuCount: 2 },
}

/** A CPU whose report data is these 64 bytes. */
const cpuOver = (reportData: Uint8Array) => cpu({ report: { reportData } })
const asked = (nonce: Uint8Array): How => ({ freshness: { kind: 'nonce', nonce } })

interface Asked {
  readonly policy?: Policy
  readonly iat?: number
  readonly seconds?: number
  /** null: for no lease */
  readonly lease?: string | null
  readonly teeKey?: Uint8Array
}

/** A challenge record of the policy's issuer; what it must have been asked for is in `LEASE`. */
const record = async ({
  policy = POLICY,
  iat = NOW - 10,
  seconds = 120,
  lease = 'lease-1',
  ...more
}: Asked = {}): Promise<JsonObject> =>
  issueChallengeRecord(
    {
      id: 'challenge-1',
      purpose: lease === null ? 'posture' : 'lease',
      provider: 'provider-1',
      ...(lease === null ? {} : { lease }),
      policyDigest: await policyDigest(policy, (bytes) => digest('sha256', bytes)),
      verifierKeyId: 'test',
      iat,
      exp: iat + seconds,
      ...more,
    },
    await digest('sha256', utf8('rand')),
    digest,
  )
const challengeOf = async (about: Asked): Promise<Freshness & { kind: 'challenge' }> => ({
  kind: 'challenge',
  challenge: take(decodeChallenge(await record(about))),
})

const cpuLease = { ...LEASE, teeType: 'cpu' as const, gpuCount: undefined, gpuModel: undefined }

/** The CPU answering this very challenge, for the lease that it was asked for. */
async function answering(about: Asked, how: How = {}) {
  const freshness = await challengeOf(about)
  return judged(cpuScene(cpuOver(freshness.challenge.nonce)), {
    policy: about.policy ?? POLICY,
    lease: cpuLease,
    freshness,
    ...how,
  })
}

describe('the challenge', () => {
  row('RJ-BIND-01', {
    twin: () => judged(cpuScene(CPU)),
    bad: {
      'the report answers B': () => judged(cpuScene(cpuOver(OTHER))),
      'A was asked long ago, B now': () => judged(cpuScene(CPU), asked(OTHER)),
      'one bit off': () => judged(cpuScene(cpuOver(NONCE.map((b, i) => (i === 63 ? b ^ 1 : b))))),
      'nothing in the report data': () => judged(cpuScene(cpuOver(new Uint8Array(64)))),
      'the fault of the kit': () => judged(cpuScene(cpu({ wrong: 'report-data-other' }))),
      'CPU and GPU answer B together': () =>
        judged(akashScene(cpuOver(OTHER), gpus({ nonce: OTHER.subarray(0, 32) })), WITH_GPU),
    },
  })

  row('RJ-BIND-02', {
    twin: { 'the CPU alone': () => judged(cpuScene(CPU)), 'with GPU': () => judged(akashScene(CPU, ONE), WITH_GPU) },
    bad: {
      'the CPU alone': () => judged(cpuScene(CPU), { freshness: { kind: 'notGiven' } }),
      'with GPU': () => judged(akashScene(CPU, ONE), { ...WITH_GPU, freshness: { kind: 'notGiven' } }),
    },
  })

  it('a nonce saved beside the quote is no expectation', async () => {
    const evidence = utf8(
      JSON.stringify({ nonce: toBase64(OTHER), quote: JSON.parse(new TextDecoder().decode(bytesOf(akashScene(CPU)))) }),
    )
    refused(await judged({ ...akashScene(CPU), evidence }, asked(OTHER)), ['BIND_NONCE_MISMATCH'])
  })

  row('RJ-BIND-04', {
    twin: {
      'a nonce': () => judged(cpuScene(CPU)),
      'for a GPU': () => judged(akashScene(CPU, ONE), WITH_GPU),
      'a record': async () => decodeChallenge(await record()),
    },
    bad: {
      'a nonce': () => judged(cpuScene(CPU), asked(new Uint8Array())),
      'for a GPU': () => judged(akashScene(CPU, ONE), { ...WITH_GPU, ...asked(new Uint8Array()) }),
      'a record': async () => decodeChallenge({ ...(await record()), nonce: '' }),
    },
  })

  const releasing = cpuPolicy(
    { measurements: [MEASUREMENT] },
    { keyRelease: { minLevel: 3 }, acceptRisks: ['open-quote-oracle'] },
    { level: 3 },
  )
  const notChecked = { kind: 'notChecked', because: 'an archive is looked at' } as const
  row('RJ-BIND-05', {
    twin: {
      'under a policy that releases keys': () => judged(cpuScene(CPU), { policy: releasing }),
      'under any other': () => judged(cpuScene(CPU)),
    },
    bad: {
      'under a policy that releases keys': () => judged(cpuScene(CPU), { policy: releasing, freshness: notChecked }),
      'under any other': () => judged(cpuScene(CPU), { freshness: notChecked }),
    },
  })

  const half = concatBytes(NONCE.subarray(0, 32), new Uint8Array(32))
  row('RJ-BIND-06', {
    twin: {
      '32 of 64 bytes, then zeros': () => judged(cpuScene(CPU)),
      '32 bytes asked, then zeros': () => judged(cpuScene(CPU)),
      '96 bytes asked': () => judged(cpuScene(CPU)),
      '63 bytes asked': () => judged(cpuScene(CPU)),
      'a record with 32 bytes': async () => decodeChallenge(await record()),
      'a record with 65 bytes': async () => decodeChallenge(await record()),
    },
    bad: {
      '32 of 64 bytes, then zeros': () => judged(cpuScene(cpuOver(half))),
      '32 bytes asked, then zeros': () => judged(cpuScene(cpuOver(half)), asked(NONCE.subarray(0, 32))),
      '96 bytes asked': () => judged(cpuScene(CPU), asked(concatBytes(NONCE, new Uint8Array(32)))),
      '63 bytes asked': () =>
        judged(cpuScene(cpuOver(concatBytes(NONCE.subarray(0, 63), new Uint8Array(1)))), asked(NONCE.subarray(0, 63))),
      'a record with 32 bytes': async () =>
        decodeChallenge({ ...(await record()), nonce: toBase64(NONCE.subarray(0, 32)) }),
      'a record with 65 bytes': async () =>
        decodeChallenge({ ...(await record()), nonce: toBase64(concatBytes(NONCE, new Uint8Array(1))) }),
    },
  })

  const strict = cpuPolicy({}, { freshness: { maxAgeSeconds: 60 } })
  row('RJ-BIND-10', {
    twin: {
      'its own end': () => answering({ iat: NOW - 120 }),
      'a shorter end of its own': () => answering({ iat: NOW - 30, seconds: 30 }),
      'the end of the policy': () => answering({ policy: strict, iat: NOW - 60 }),
    },
    bad: {
      'its own end': () => answering({ iat: NOW - 121 }),
      'a shorter end of its own': () => answering({ iat: NOW - 31, seconds: 30 }),
      'the end of the policy': () => answering({ policy: strict, iat: NOW - 61 }),
    },
  })

  row('RJ-BIND-11', { twin: () => answering({ iat: NOW + 60 }), bad: () => answering({ iat: NOW + 61 }) })

  it('a posture challenge, of no lease, is answered for no lease', async () => {
    accepted(await answering({ lease: null }, { lease: null }))
  })

  row('RJ-BIND-12', {
    twin: () => answering({}),
    bad: {
      'another lease': () => answering({}, { lease: { ...cpuLease, id: 'lease-2' } }),
      'another provider': () => answering({}, { lease: { ...cpuLease, provider: 'provider-2' } }),
      'asked for no lease': () => answering({ lease: null }, { lease: cpuLease }),
      'judged for no lease': () => answering({}, { lease: null }),
      'judged for a lease without id': () => answering({}, { lease: { ...cpuLease, id: undefined } }),
    },
  })
})

const bytesOf = ({ evidence }: Scene): Uint8Array => {
  if (evidence instanceof Uint8Array) return evidence
  throw new TypeError('one carrier')
}

describe('one machine', () => {
  const otherHalf = { nonce: OTHER.subarray(0, 32) }
  row('RJ-BIND-03', {
    twin: {
      'a GPU over B': () => judged(akashScene(CPU, ONE), WITH_GPU),
      'one GPU of two over B': () => judged(akashScene(CPU, TWO), WITH_TWO),
      'the second half of the nonce': () => judged(akashScene(CPU, ONE), WITH_GPU),
    },
    bad: {
      'a GPU over B': () => judged(akashScene(CPU, gpus(otherHalf)), WITH_GPU),
      'one GPU of two over B': () => judged(akashScene(CPU, gpus({ gpuCount: 2, wrong: 'nonce-mixed' })), WITH_TWO),
      'the second half of the nonce': () => judged(akashScene(CPU, gpus({ nonce: NONCE.subarray(32) })), WITH_GPU),
    },
  })

  it('RJ-BIND-03 BIND_SET_NOT_UNIFORM: also where nobody says what was asked', async () => {
    const how: How = { policy: null, freshness: { kind: 'notChecked', because: 'an archive is looked at' } }
    refused(await judged(akashScene(CPU, ONE), how), ['POLICY_MISSING'])
    refused(await judged(akashScene(CPU, gpus(otherHalf)), how), ['BIND_SET_NOT_UNIFORM'])
  })

  it('GPUs alone that answer another nonce say so under their own code', async () => {
    const how: How = { policy: null, freshness: ASKED }
    refused(await judged(gpuScene(ONE), how), ['POLICY_MISSING'])
    refused(await judged(gpuScene(gpus(otherHalf)), how), ['GPU_NONCE_MISMATCH'])
  })

  const tls = { tls_bound: true }
  row('RJ-BIND-09', {
    twin: () => judged(akashScene(CPU)),
    bad: {
      'the plain nonce in the report data': () => judged(akashScene(CPU, undefined, tls)),
      'in camel case': () =>
        judged({
          ...akashScene(CPU),
          evidence: utf8(
            new TextDecoder().decode(bytesOf(akashScene(CPU, undefined, tls))).replace('tls_bound', 'tlsBound'),
          ),
        }),
    },
  })

  it('a TLS claim that may be true waits for the key', async () => {
    refused(await judged(akashScene(cpuOver(OTHER), undefined, tls)), ['BIND_TLS_KEY_MISSING'])
  })
})

const SPKI = ecKey('P-256', 'reject/workload').spki
const OTHER_SPKI = ecKey('P-256', 'reject/another workload').spki
const keyMember = (spki: Uint8Array, domain = 'vouchsafe/1'): JsonObject => ({ spki: toBase64(spki), domain })

/** A CPU report over this report data, with a key beside it. */
function withKey(reportData: Uint8Array, key: JsonObject | undefined, how: How = {}) {
  const machine = cpuOver(reportData)
  const item = bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table])
  return judged({ ...cpuScene(machine), evidence: bundle([item], key === undefined ? {} : { key }) }, how)
}

describe('the key of the workload', () => {
  const bound = (nonce: Uint8Array, spki = SPKI) => keyReportData(digest, nonce, spki)
  const good = async () => withKey(await bound(NONCE), keyMember(SPKI))
  const named = async (shown: Uint8Array | undefined, covered = shown) => {
    const freshness = await challengeOf({ teeKey: SPKI })
    const { nonce } = freshness.challenge
    const reportData = covered === undefined ? nonce : await bound(nonce, covered)
    return withKey(reportData, shown === undefined ? undefined : keyMember(shown), {
      policy: POLICY,
      lease: cpuLease,
      freshness,
    })
  }
  row('RJ-BIND-07', {
    twin: {
      'another key beside a good report': good,
      'a report that covers no key': good,
      'a report over another nonce': good,
      'another key than the challenge names': () => named(SPKI),
      'no key though the challenge names one': () => named(SPKI),
    },
    bad: {
      'another key beside a good report': async () => withKey(await bound(NONCE), keyMember(OTHER_SPKI)),
      'a report that covers no key': () => withKey(NONCE, keyMember(SPKI)),
      'a report over another nonce': async () => withKey(await bound(OTHER), keyMember(SPKI)),
      'another key than the challenge names': () => named(OTHER_SPKI),
      'no key though the challenge names one': () => named(undefined),
    },
  })

  const underOther = async () => digest('sha512', concatBytes(utf8('other\0'), NONCE, await digest('sha256', SPKI)))
  row('RJ-BIND-08', {
    twin: good,
    bad: {
      'said and done': async () => withKey(await underOther(), keyMember(SPKI, 'other')),
      'said only': async () => withKey(await bound(NONCE), keyMember(SPKI, 'other')),
      'no label': async () => withKey(await bound(NONCE), keyMember(SPKI, '')),
      'done without saying so': {
        code: 'BIND_KEY_MISMATCH',
        check: async () => withKey(await underOther(), keyMember(SPKI)),
      },
    },
  })
})

describe('the list of GPUs in the report data', () => {
  const composite: How = {
    policy: gpuPolicy({ nonce: 'composite', count: 2 }, { acceptRisks: ['plain-nvlink'] }),
    lease: { ...LEASE, gpuCount: 2 },
  }
  const nonce = DERIVED
  const derived = gpus({ gpuCount: 2, nonce })
  const [first, second] = derived.gpus as readonly [MachineDevice, MachineDevice]
  const third = loneGpu('gpu-9', {}, { nonce })
  const over = async (devices: readonly MachineDevice[]) =>
    compositeReportData(digest, NONCE, undefined, await Promise.all(devices.map((d) => digest('sha256', d.report))))

  /** Shows these GPUs beside a CPU report over this report data. */
  function shown(devices: readonly MachineDevice[], reportData: Uint8Array, binding = 'composite') {
    const machine = cpuOver(reportData)
    const items = [
      bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]),
      ...devices.map((d, i) => bundleItem(`gpu-${i}`, 'nvidia/gpu-report', d.report, [utf8(d.chainPem)])),
    ]
    const scene: Scene = {
      evidence: bundle(items, { binding }),
      collateral: [...amdCollateral(machine), ...nvidiaCollateral(derived), ...third.ocsp],
      anchors: [...amdAnchors(machine), ...nvidiaAnchors(derived)],
    }
    return judged(scene, composite)
  }
  const pair = [first, second]
  const good = async () => shown(pair, await over(pair))
  row('RJ-BIND-13', {
    twin: good,
    bad: {
      'the nonce only': () => shown(pair, NONCE),
      'said to be raw, and it is': () => judged(akashScene(CPU, TWO), composite),
      'said to be derived': async () => shown(pair, NONCE, 'derived'),
      'covered, and not said so': async () => shown(pair, await over(pair), 'derived'),
      'nonce and key only': async () => {
        const keyed = gpus({ gpuCount: 2, nonce: await derivedGpuNonce(digest, NONCE, SPKI) })
        const machine = cpuOver(await keyReportData(digest, NONCE, SPKI))
        const items = [
          bundleItem('cpu', 'amd/snp-report', machine.report, [machine.table]),
          ...keyed.gpus.map((d, i) => bundleItem(`gpu-${i}`, 'nvidia/gpu-report', d.report, [utf8(d.chainPem)])),
        ]
        return judged(
          {
            evidence: bundle(items, { binding: 'composite', key: keyMember(SPKI) }),
            collateral: [...amdCollateral(machine), ...nvidiaCollateral(keyed)],
            anchors: [...amdAnchors(machine), ...nvidiaAnchors(keyed)],
          },
          composite,
        )
      },
      'another list': {
        code: 'BIND_COMPOSITE_MISMATCH',
        check: async () => shown(pair, await over([first, third])),
      },
    },
  })

  row('RJ-BIND-14', {
    twin: good,
    bad: {
      'the same two in another order': async () => shown([second, first], await over(pair)),
      'one of them exchanged': async () => shown([first, third], await over(pair)),
      'one covered that is not shown': async () => shown(pair, await over([first, second, third])),
      'one shown that is not covered': async () => shown(pair, await over([first])),
      'a second answer of the same GPU': async () => {
        const again = loneGpu('gpu-1', {}, { nonce, responderNonce: OTHER.subarray(0, 32) })
        return shown(pair, await over([first, again]))
      },
      'over another nonce': async () =>
        shown(
          pair,
          await compositeReportData(
            digest,
            OTHER,
            undefined,
            await Promise.all(pair.map((d) => digest('sha256', d.report))),
          ),
        ),
    },
  })
})

describe('an image that signs for anyone', () => {
  const releasing = (more: JsonObject = {}, level = 3) =>
    cpuPolicy({ measurements: [MEASUREMENT] }, { keyRelease: { minLevel: 5 }, ...SIGNED_BY_TEAM, ...more }, { level })
  const risk = { acceptRisks: ['open-quote-oracle'] }
  const keyed = async (policy: Policy, referenceValues: readonly string[]) =>
    withKey(await keyReportData(digest, NONCE, SPKI), keyMember(SPKI), { policy, referenceValues })
  const open = ['workload-pinned', 'key-in-tee']
  row('RJ-BIND-15', {
    twin: {
      'the sidecar': () => judged(akashScene(CPU), { policy: releasing(risk) }),
      'the sidecar, whatever is said of its image': () => judged(akashScene(CPU), { policy: releasing(risk) }),
      'an image nobody vouches for': () => keyed(releasing(risk), []),
      'an image vouched for, its quoting not': () => keyed(releasing(), [referenceValue()]),
      'level 4 of the sidecar': () => keyed(releasing({}, 4), [referenceValue()]),
    },
    bad: {
      'the sidecar': () => judged(akashScene(CPU), { policy: releasing() }),
      'the sidecar, whatever is said of its image': () =>
        judged(akashScene(CPU), { policy: releasing(), referenceValues: [referenceValue()] }),
      'an image nobody vouches for': () => keyed(releasing(), []),
      'an image vouched for, its quoting not': () => keyed(releasing(), [referenceValue({ guarantees: open })]),
      'level 4 of the sidecar': () =>
        judged(akashScene(CPU), { policy: releasing({}, 4), referenceValues: [referenceValue()] }),
    },
  })

  it('level 5 is reached by an image whose publisher vouches for it', async () => {
    expect((await keyed(releasing({}, 5), [referenceValue()])).level).toBe(5)
  })
})
