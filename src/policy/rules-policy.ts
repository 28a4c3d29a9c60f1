import type { GpuRule, KeyReleaseRule, Policy, ReferenceValueRule, Risk } from './policy.ts'
import { alternatives } from './rules-cpu.ts'
import { gpuRule } from './rules-gpu.ts'
import { tpmRule } from './rules-tpm.ts'
import { ALWAYS, leaf, OMITTED, object, REQUIRED, type Shape } from './shape.ts'
import { signerList } from './signers.ts'
import { allowList, always, atLeast, atMost, choice, consentList, formed, integer, oneOf, wordOr } from './values.ts'

const RISKS: readonly Risk[] = ['milan-seed-extraction', 'open-quote-oracle', 'plain-nvlink']
/** A leap year. */
const MOST_COLLATERAL_SECONDS = 366 * 24 * 60 * 60

const gpu = wordOr<'none' | 'any', GpuRule>(['none', 'any'], gpuRule, {
  both: (floor, tenant) =>
    floor === 'any' || floor === tenant
      ? tenant
      : tenant === 'any'
        ? floor
        : floor === 'none' || tenant === 'none'
          ? 'clash'
          : 'shape',
  within: (tenant, floor) =>
    floor === 'any' || (tenant === 'any' ? false : floor === 'none' || tenant === 'none' ? true : 'shape'),
})

/**
 * Trusted signers: a policy that names none can demand nothing that rests on a statement, so the other's signers add nothing
 * that it would have refused.
 */
const referenceValues = wordOr<'none', ReferenceValueRule>(
  ['none'],
  object<ReferenceValueRule>({
    signers: {
      description: 'Public keys (JWK) whose signed reference values count.',
      shape: signerList,
      absent: REQUIRED,
    },
  }),
  {
    both: (floor, tenant) => (floor === 'none' ? tenant : tenant === 'none' ? floor : 'shape'),
    within: (tenant, floor) => (floor === 'none' || tenant === 'none' ? true : 'shape'),
  },
)

/**
 * Whoever releases keys demands more of every machine that is accepted at all, so a rule that either names stays in force;
 * a tenant that names none has not loosened the floor's.
 */
const keyRelease = wordOr<'none', KeyReleaseRule>(
  ['none'],
  object<KeyReleaseRule>({
    minLevel: {
      description:
        'Assurance level that a machine must reach to be given a key. Below 5 it needs "open-quote-oracle" in acceptRisks.',
      shape: atLeast(3, 5),
      absent: 5,
    },
    ttlSeconds: {
      description: 'How long a permission to release may be used.',
      shape: atMost(1, 120),
      absent: 120,
    },
  }),
  {
    both: (floor, tenant) => (tenant === 'none' ? floor : floor === 'none' ? tenant : 'shape'),
    within: (tenant, floor) => (floor === 'none' || tenant === 'none' ? true : 'shape'),
  },
)

const requirements = object<Policy['require']>({
  level: {
    description:
      'Assurance level: 1 genuine, 2 fresh, 3 measured, 4 workload, 5 key-bound. From 4 on a publisher must vouch for the image (referenceValues).',
    shape: atLeast(1, 5),
    absent: REQUIRED,
  },
  cpu: {
    description: 'CPU evidence.',
    shape: object<Policy['require']['cpu']>({
      any: {
        description: 'Alternatives; the machine must meet one of them in full.',
        shape: alternatives,
        absent: REQUIRED,
      },
    }),
    absent: REQUIRED,
  },
  gpu: {
    description:
      'GPU evidence: rules; "none" refuses a machine with a GPU; "any" neither requires GPUs nor relies on them.',
    shape: gpu,
    absent: 'none',
  },
  tpm: {
    description:
      'Rules for a TPM quote beside the CPU evidence. Left out, a TPM is neither required nor relied on; with rules, evidence without a proved quote is refused.',
    shape: tpmRule,
    absent: OMITTED,
  },
  physical: {
    description: 'Who must vouch for the place of the machine, whose owner can attack it physically; or "any".',
    shape: allowList(oneOf(['audited', 'hyperscaler'])),
    absent: 'any',
  },
  lease: {
    description:
      'Whether a lease must be given to compare with, and say how many GPUs were leased. One that is given is always compared.',
    shape: choice(['required-with-gpu-count', 'required', 'if-given']),
    absent: 'if-given',
  },
  leaseBinding: {
    description: 'host-data: HOST_DATA (SNP) or MRCONFIGID (TDX) must be the value made for this lease.',
    shape: choice(['host-data', 'none']),
    absent: 'none',
  },
})

/** `lease` and a number of GPUs ask for both: the number stands, and the lease that it is compared with has to be there. */
const require: Shape<Policy['require']> = {
  ...requirements,
  both(floor, tenant, path, clashes) {
    const value = requirements.both(floor, tenant, path, clashes)
    const asksLease = [floor, tenant].some(({ gpu: rule }) => typeof rule === 'object' && rule.count === 'lease')
    const isNumber = typeof value?.gpu === 'object' && value.gpu.count !== 'lease'
    return value !== undefined && asksLease && isNumber ? { ...value, lease: 'required-with-gpu-count' } : value
  },
}

const maxAgeOrAny: Shape<number | 'any'> = leaf<number | 'any'>({
  schema: { oneOf: [{ const: 'any' }, integer(1, MOST_COLLATERAL_SECONDS).schema] },
  read: (json, path, faults) => (json === 'any' ? 'any' : integer(1, MOST_COLLATERAL_SECONDS).read(json, path, faults)),
  both: (floor, tenant) => (floor === 'any' ? tenant : tenant === 'any' ? floor : Math.min(floor, tenant)),
  within: (tenant, floor) => floor === 'any' || (tenant !== 'any' && tenant <= floor),
})

/** A name is for people; it is not pattern or address, and two policies keep the tenant's. */
const nameText = formed(/^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,159}$/, 'up to 160 letters, digits, spaces and ._+-')
const name: Shape<string> = leaf({ ...nameText, both: (_, tenant) => tenant, within: () => true })

/** The table of all members: the one place that says what a policy may contain. */
export const policyShape = object<Policy>({
  version: { description: 'Version of the policy format.', shape: always(1), absent: ALWAYS },
  name: { description: 'Names the policy in decisions.', shape: name, absent: ALWAYS },
  profile: {
    description:
      'production, or development: such a policy may accept guests that can be debugged, and can never release keys or admit bids.',
    shape: choice(['production', 'development']),
    absent: 'production',
  },
  require: {
    description: 'What the machine must show.',
    shape: require,
    absent: REQUIRED,
  },
  freshness: {
    description: 'Age of the evidence.',
    shape: object<Policy['freshness']>({
      maxAgeSeconds: {
        description: 'Seconds since the challenge was issued.',
        shape: atMost(1, 120),
        absent: REQUIRED,
      },
    }),
    absent: REQUIRED,
  },
  collateral: {
    description: 'Age of what the vendors sign.',
    shape: object<Policy['collateral']>({
      maxAgeSeconds: {
        description:
          'Seconds since a revocation list or OCSP answer was issued; "any" takes it for as long as it is valid.',
        shape: maxAgeOrAny,
        absent: 'any',
      },
    }),
    absent: { maxAgeSeconds: 'any' },
  },
  referenceValues: {
    description: "Whose signed statements about images count, if anybody's.",
    shape: referenceValues,
    absent: 'none',
  },
  acceptRisks: {
    description:
      'Risks accepted by name. open-quote-oracle: an image that signs any report data for anyone. milan-seed-extraction: processors of the Milan line. plain-nvlink: several Hopper GPUs that talk in plain text.',
    shape: consentList(oneOf(RISKS), RISKS.length),
    absent: 'none',
  },
  keyRelease: {
    description: 'Under what conditions keys are released; "none": never.',
    shape: keyRelease,
    absent: 'none',
  },
  onInconclusive: {
    description: 'What a caller does when something needed is missing: deny, or ask again. Neither opens anything.',
    shape: choice(['deny', 'retry']),
    absent: 'deny',
  },
})
