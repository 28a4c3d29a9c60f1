import { describe, test } from 'vitest'
import { decodeChallenge, issueChallengeRecord } from '../../src/attestation/challenge.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { nodeCrypto } from '../../src/core/crypto/node.ts'
import { toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { take } from '../../src/core/outcome.ts'
import { toRfc3339 } from '../../src/core/time.ts'
import { compose } from '../../src/policy/compose.ts'
import { policyDigest } from '../../src/policy/digest.ts'
import { parsePolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/policy.ts'
import { type AmdMachineOptions, TEST_MEASUREMENT } from '../../src/testing/index.ts'
import { newSigner } from '../policy/signers.ts'
import { CPU, judgedIn, ONE_H100, twinIn } from './machines.ts'
import { accepted, type Judged, row } from './row.ts'
import { referenceValue, SIGNED_BY_TEAM } from './signer.ts'
import {
  akashScene,
  bothScene,
  bundle,
  bundleItem,
  cpu,
  cpuDocument,
  cpuPolicy,
  cpuScene,
  gpuPolicy,
  gpuScene,
  gpus,
  type How,
  judged,
  LEASE,
  NOW,
  ONE_GPU,
} from './stage.ts'

/*
 * The rows POL that need a machine: a policy as a tenant writes it, read, and held against evidence that is otherwise
 * accepted. The rows of the document alone (02 to 13, 18, 23) are in test/policy/parse.test.ts, in all their ranges.
 */

const digest = nodeCrypto.digest
const measurement = toHex(TEST_MEASUREMENT)

/** A policy as text, and the decision under it where it can be read. */
async function under(document: JsonObject, how: How = {}, machine: AmdMachineOptions = {}): Promise<Judged> {
  const policy = parsePolicy(JSON.stringify(document))
  return policy.ok ? judged(cpuScene(cpu(machine)), { policy: policy.value, ...how }) : policy
}
const good = () => under(cpuDocument())

describe('what the policy speaks of', () => {
  row('RJ-POL-01', {
    about: 'in a machine',
    twin: good,
    bad: {
      nothing: () => under({}),
      'a version': () => under({ version: 1 }),
      'a version and a name': () => under({ version: 1, name: 'row' }),
      'no requirement': () => under(cpuDocument({}, { require: {} })),
    },
  })

  const quote = bundleItem('tdx', 'intel/tdx-quote', new Uint8Array(5006).fill(4), [])
  const scene = cpuScene(CPU)
  const none = cpuPolicy({}, {}, { gpu: 'none' })
  row('RJ-POL-01', {
    about: 'of a kind that was shown',
    twin: {
      'another CPU kind': () => judged(scene),
      'GPU evidence alone': () => judged(bothScene(CPU, gpus())),
      'a GPU under a policy for none': () => judged(bothScene(CPU, gpus())),
    },
    bad: {
      'another CPU kind': {
        code: 'POLICY_KIND_NOT_COVERED',
        also: ['TDX_VERSION_UNSUPPORTED'],
        check: () => judged({ ...scene, evidence: bundle([quote]) }),
      },
      'GPU evidence alone': { code: 'APPRAISAL_CPU_MISSING', check: () => judged(gpuScene(gpus())) },
      'a GPU under a policy for none': {
        code: 'GPU_NOT_EXPECTED',
        check: () => judged(bothScene(CPU, gpus()), { policy: none }),
      },
    },
  })
})

describe('the floor', () => {
  const floor = cpuDocument({ minTcb: { snp: 20 } }, { name: 'floor' })
  const composed = async (tenant: JsonObject): Promise<Judged> => {
    const [a, b] = [floor, tenant].map((document) => parsePolicy(JSON.stringify(document)))
    if (a?.ok !== true || b?.ok !== true) throw new TypeError('both can be read')
    const both = compose(a.value, b.value)
    return both.ok ? judged(cpuScene(CPU), { policy: both.value }) : both
  }
  const tenant =
    (rule: JsonObject, more: JsonObject = {}, require: JsonObject = {}) =>
    () =>
      composed(cpuDocument(rule, { name: 'tenant', ...more }, require))
  row('RJ-POL-14', {
    about: 'in a machine',
    twin: {
      debugging: tenant({ guestPolicy: { debug: 'forbidden' } }),
      Milan: tenant({ products: ['Genoa'] }),
      'no revocation': tenant({ revocation: 'required' }),
      'older firmware': tenant({ minTcb: { snp: 21 } }),
      'fewer bulletins': tenant({ tcbFloors: { bulletins: 'all' } }),
      'a lower level': tenant({}, {}, { level: 2 }),
      'older evidence': () => composed(cpuDocument({}, { name: 'tenant', freshness: { maxAgeSeconds: 60 } })),
      'any VMPL': tenant({ vmpl: [0] }),
    },
    bad: {
      debugging: tenant({ guestPolicy: { debug: 'allowed' } }, { profile: 'development' }),
      Milan: tenant({ products: ['Milan', 'Genoa'] }, { acceptRisks: ['milan-seed-extraction'] }),
      'no revocation': tenant({ revocation: 'none' }),
      'older firmware': tenant({ minTcb: { snp: 19 } }),
      'fewer bulletins': tenant({ tcbFloors: { bulletins: '2025-01-01' } }),
      'a lower level': tenant({}, {}, { level: 1 }),
      'older evidence': () =>
        composedOver(cpuDocument({}, { name: 'floor', freshness: { maxAgeSeconds: 60 } }), cpuDocument()),
      'any VMPL': tenant({ vmpl: [0, 1, 2, 3] }),
    },
  })

  function composedOver(a: JsonObject, b: JsonObject): Judged {
    const [first, second] = [a, b].map((document) => take(parsePolicy(JSON.stringify(document))))
    if (first === undefined || second === undefined) throw new TypeError('two policies')
    return compose(first, second)
  }
})

describe('the lease', () => {
  const hostData = '5c'.repeat(32)
  const bound = cpuPolicy({}, {}, { leaseBinding: 'host-data' })
  const lease = { ...LEASE, teeType: 'cpu', gpuCount: undefined, gpuModel: undefined, hostData } as const
  const judge = (bytes: Uint8Array, how: How = {}) =>
    judged(cpuScene(cpu({ report: { hostData: bytes } })), { policy: bound, lease, ...how })
  const given = new Uint8Array(32).fill(0x5c)
  const zero = new Uint8Array(32)
  row('RJ-POL-15', {
    twin: {
      'HOST_DATA zero': () => judge(given),
      'HOST_DATA zero, of a lease of zeros': () => judge(given),
      'a lease without HOST_DATA': () => judge(given),
      'no lease': () => judge(given),
    },
    bad: {
      'HOST_DATA zero': () => judge(zero),
      'HOST_DATA zero, of a lease of zeros': () => judge(zero, { lease: { ...lease, hostData: '00'.repeat(32) } }),
      'a lease without HOST_DATA': {
        code: 'APPRAISAL_LEASE_MISSING',
        check: () => judge(given, { lease: { ...lease, hostData: undefined } }),
      },
      'no lease': { code: 'APPRAISAL_LEASE_MISSING', check: () => judge(given, { lease: null }) },
    },
  })
})

describe('reference values', async () => {
  const team = await newSigner('image-team')
  const stranger = await newSigner('image-team')
  const other = await newSigner('other-team')
  const curves = [await newSigner('p384', 'ES384'), await newSigner('ed25519', 'EdDSA')] as const
  const signers = [team, ...curves].map((s) => s.key as unknown as JsonObject)

  const payload = {
    version: 1,
    name: 'test image',
    kind: 'amd/snp-report',
    measurements: [measurement],
    guarantees: ['workload-pinned'],
    notBefore: '2026-01-01T00:00:00Z',
    expires: '2027-01-01T00:00:00Z',
  }
  /** Level 3 rests on the value, level 2 rests on none. */
  const judge = (level: 2 | 3, ...referenceValues: readonly string[]) =>
    judged(cpuScene(CPU), { policy: cpuPolicy({}, { referenceValues: { signers } }, { level }), referenceValues })
  const value = (members: JsonObject = {}) => team.sign({ ...payload, ...members })
  const inForce = async () => judge(3, await value())

  const otherImage = 'ab'.repeat(48)
  const withdrawal = (members: JsonObject = {}) =>
    value({ name: 'withdrawal', measurements: [otherImage], withdrawn: [measurement], ...members })
  row('RJ-POL-16', {
    twin: {
      'at its end': async () => judge(3, await value({ expires: toRfc3339(NOW + 1) })),
      'long expired': inForce,
      'withdrawn by another value': async () =>
        judge(3, await value(), await withdrawal({ withdrawn: ['cd'.repeat(48)] })),
      'withdrawn by a value that is itself expired': inForce,
      'withdrawn by itself': inForce,
      'a second early': async () => judge(3, await value({ notBefore: toRfc3339(NOW) })),
    },
    bad: {
      'at its end': async () => judge(3, await value({ expires: toRfc3339(NOW) })),
      'long expired': async () => judge(3, await value({ expires: '2026-02-01T00:00:00Z' })),
      'withdrawn by another value': async () => judge(3, await value(), await withdrawal()),
      'withdrawn by a value that is itself expired': async () =>
        judge(3, await value(), await withdrawal({ expires: '2026-02-01T00:00:00Z' })),
      'withdrawn by itself': async () => judge(3, await value({ withdrawn: [measurement] })),
      'a second early': {
        code: 'REFERENCE_VALUE_NOT_YET_VALID',
        check: async () => judge(3, await value({ notBefore: toRfc3339(NOW + 1) })),
      },
    },
  })

  const [p384, ed25519] = curves
  const flipped = async (part: 1 | 2) => {
    const parts = (await value()).split('.')
    const text = parts[part] ?? ''
    // The last digit of a signature carries bits that stand for nothing; another one in its middle carries six.
    const at = Math.floor(text.length / 2)
    parts[part] = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`
    return parts.join('.')
  }
  const wrong: Readonly<Record<string, () => Promise<string>>> = {
    'by a stranger under the same name': () => stranger.sign(payload),
    'by somebody whom the policy does not name': () => other.sign(payload),
    'under a name that the policy does not have': () => team.sign(payload, { kid: 'image-teams' }),
    'under the name of another signer': () => team.sign(payload, { kid: 'p384' }),
    'with another signature': () => flipped(2),
    'with another content': () => flipped(1),
    'not at all (alg none)': async () => {
      const [, body, signature] = (await value()).split('.')
      const header = Buffer.from(
        JSON.stringify({ alg: 'none', kid: 'image-team', typ: 'vouchsafe-reference-value+jws' }),
      )
      return `${header.toString('base64url')}.${body}.${signature}`
    },
    'by a P-384 key of another team': async () => (await newSigner('p384', 'ES384')).sign(payload),
    'by an Ed25519 key of another team': async () => (await newSigner('ed25519', 'EdDSA')).sign(payload),
  }
  const each = <T>(make: (sign: () => Promise<string>) => T) =>
    Object.fromEntries(Object.entries(wrong).map(([name, sign]) => [name, make(sign)]))
  row('RJ-POL-17', {
    about: 'where nothing rests on it',
    twin: {
      ...each(() => async () => judge(2, await value())),
      'by a P-384 key of another team': async () => judge(2, await p384.sign(payload)),
      'by an Ed25519 key of another team': async () => judge(2, await ed25519.sign(payload)),
    },
    bad: each((sign) => async () => judge(2, await sign())),
  })
  row('RJ-POL-17', {
    about: 'where the level rests on it',
    twin: {
      ...each(() => inForce),
      'by a P-384 key of another team': async () => judge(3, await p384.sign(payload)),
      'by an Ed25519 key of another team': async () => judge(3, await ed25519.sign(payload)),
    },
    bad: each((sign) => ({
      code: 'REFERENCE_VALUE_UNTRUSTED' as const,
      also: ['SNP_MEASUREMENT_UNKNOWN'] as const,
      check: async () => judge(3, await sign()),
    })),
  })
})

describe('the challenge', () => {
  const POLICY = cpuPolicy()
  const answering = async (asked: Policy, policy: Policy) => {
    const record = await issueChallengeRecord(
      {
        id: 'challenge-1',
        purpose: 'posture',
        provider: 'provider-1',
        policyDigest: await policyDigest(asked, (bytes) => digest('sha256', bytes)),
        verifierKeyId: 'test',
        iat: NOW - 10,
        exp: NOW + 60,
      },
      await digest('sha256', utf8('rand')),
      digest,
    )
    const challenge = take(decodeChallenge(record))
    return judged(cpuScene(cpu({ report: { reportData: challenge.nonce } })), {
      policy,
      freshness: { kind: 'challenge', challenge },
    })
  }
  const stricter = cpuPolicy({ minTcb: { snp: 1 } })
  const looser = cpuPolicy({ revocation: 'none' })
  const renamed = cpuPolicy({}, { name: 'row 2' })
  const oneMore = cpuPolicy({ minReportVersion: 4 })
  row('RJ-POL-19', {
    twin: {
      stricter: () => answering(stricter, stricter),
      looser: () => answering(looser, looser),
      renamed: () => answering(renamed, renamed),
      'one rule more': () => answering(oneMore, oneMore),
    },
    bad: {
      stricter: () => answering(POLICY, stricter),
      looser: () => answering(POLICY, looser),
      renamed: () => answering(POLICY, renamed),
      'one rule more': () => answering(POLICY, oneMore),
    },
  })
  test('RJ-POL-19 takes the same policy in other words', async () =>
    accepted(await answering(POLICY, cpuPolicy({ minReportVersion: 3, vmpl: [0] }, { comment: 'the same' }))))
})

describe('what evidence can give', () => {
  const cspId = 'CN=cc-test-1.cloud.example'
  const operators = cpuPolicy({ cspIds: [cspId], signingKeys: ['vcek', 'vlek'], maskedChipId: 'allowed' })
  const of = (policy: Policy, machine: AmdMachineOptions = {}) => judged(cpuScene(cpu(machine)), { policy })
  const fmc = cpuPolicy({ minTcb: { fmc: 1 } })
  const silicon = cpuPolicy({ chipIds: [toHex(CPU.chipId)], maskedChipId: 'allowed', signingKeys: ['vcek', 'vlek'] })
  row('RJ-POL-20', {
    twin: {
      'the operator, which a VCEK does not name': () => of(operators, { kind: 'VLEK' }),
      'the FMC level, which Genoa does not have': () => of(fmc, { product: 'Turin' }),
      'the chip, which a VLEK does not show': () => of(silicon),
      'the model of a board that no table names': () => twinIn(ONE_H100),
    },
    bad: {
      'the operator, which a VCEK does not name': () => of(operators),
      'the FMC level, which Genoa does not have': () => of(fmc),
      'the chip, which a VLEK does not show': () => of(silicon, { kind: 'VLEK' }),
      'the model of a board that no table names': () =>
        judgedIn(
          ONE_H100,
          { gpu: (report) => ({ ...report, projectSku: '9999' }) },
          { lease: null, policy: gpuPolicy({ count: 1 }) },
        ),
    },
  })

  const workload = (...guarantees: string[]) =>
    judged(cpuScene(CPU), {
      policy: cpuPolicy({}, SIGNED_BY_TEAM, { level: 4 }),
      referenceValues: [referenceValue({ guarantees })],
    })
  const place = (...physical: string[]) => cpuPolicy({}, {}, { physical })
  const at = (policy: Policy, physical: How['physical']) =>
    judged(cpuScene(CPU), { policy, physical: physical ?? 'unknown' })
  const tdisp = (binding: string) =>
    judged(bothScene(CPU, gpus({ ...ONE_GPU, architecture: 'blackwell', vbiosVersion: '97.00.88.00.0F' })), {
      policy: gpuPolicy({ models: ['B200'], binding }),
      lease: { ...LEASE, gpuModel: 'B200' },
    })
  row('RJ-POL-21', {
    twin: {
      'an audited place': () => at(place('audited', 'hyperscaler'), 'audited'),
      'the place of a hyperscaler': () => at(place('hyperscaler'), 'hyperscaler'),
      'a place that another kind of body vouches for': () => at(place('audited'), 'audited'),
      'the place of a machine with a GPU': () => placed('audited'),
      'level 4 of an image whose containers nobody vouches for': () => workload('closed-quoting', 'workload-pinned'),
      'a GPU that TDISP ties to the CPU': () => tdisp('shared-nonce'),
    },
    bad: {
      'an audited place': () => at(place('audited', 'hyperscaler'), 'unknown'),
      'the place of a hyperscaler': () => at(place('hyperscaler'), 'unknown'),
      'a place that another kind of body vouches for': () => at(place('audited'), 'hyperscaler'),
      'the place of a machine with a GPU': () => placed('unknown'),
      'level 4 of an image whose containers nobody vouches for': {
        code: 'APPRAISAL_LEVEL_TOO_LOW',
        check: () => workload('closed-quoting'),
      },
      'a GPU that TDISP ties to the CPU': { code: 'GPU_BINDING_INSUFFICIENT', check: () => tdisp('tdisp') },
    },
  })

  function placed(physical: 'audited' | 'unknown') {
    const policy = gpuPolicy({}, { require: { ...requireOf(gpuPolicy()), physical: ['audited'] } })
    return judged(akashScene(CPU, gpus()), { policy, lease: LEASE, physical })
  }
})

/** The rules of a policy, to be written again with one more. */
const requireOf = (policy: Policy): JsonObject => JSON.parse(JSON.stringify(policy.require)) as JsonObject

describe('what has to be said by name', () => {
  const milan = (more: JsonObject) => cpuDocument({ products: ['Milan', 'Genoa'] }, more)
  const debug = (more: JsonObject) => cpuDocument({ guestPolicy: { debug: 'allowed' } }, more)
  const released = (keyRelease: JsonObject, more: JsonObject = {}) =>
    cpuDocument({ measurements: [measurement] }, { keyRelease, ...more }, { level: 3 })
  const oracle = { acceptRisks: ['open-quote-oracle'] }
  row('RJ-POL-22', {
    about: 'in a machine',
    twin: {
      'Milan, and no risk': () => under(milan({ acceptRisks: ['milan-seed-extraction'] }), {}, { product: 'Milan' }),
      'Milan, and another risk': () =>
        under(milan({ acceptRisks: ['milan-seed-extraction'] }), {}, { product: 'Milan' }),
      'debugging, in production': () => under(debug({ profile: 'development' })),
      'keys at level 3': () => under(released({ minLevel: 3 }, oracle)),
    },
    bad: {
      'Milan, and no risk': () => under(milan({}), {}, { product: 'Milan' }),
      'Milan, and another risk': () => under(milan({ acceptRisks: ['plain-nvlink'] }), {}, { product: 'Milan' }),
      'debugging, in production': () => under(debug({})),
      'keys at level 3': () => under(released({ minLevel: 3 })),
    },
  })

  row('RJ-POL-24', {
    about: 'in a machine',
    twin: () => under(released({ minLevel: 3 }, oracle)),
    bad: () => under(released({ minLevel: 3 }, { ...oracle, profile: 'development' })),
  })
})
