import type { NonEmpty } from '../core/outcome.ts'
import type { TpmPcrs, TpmRule } from './policy.ts'
import { leaf, type Member, type Members, OMITTED, object, REQUIRED, type Shape } from './shape.ts'
import { accepted, allowList, atLeast, choice, formed, hex, type Item, oneOf } from './values.ts'

const BANKS = ['sha256', 'sha384', 'sha512'] as const
/** Bytes of a value in that bank. */
export const BANK_BYTES: Readonly<Record<TpmRule['bank'], number>> = { sha256: 32, sha384: 48, sha512: 64 }

/** 16 and 23 are left out: anybody in the guest may reset them, and so make them say anything. */
export const PCR_INDEXES = [
  ...(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12', '13', '14', '15'] as const),
  ...(['17', '18', '19', '20', '21', '22'] as const),
] as const satisfies readonly (keyof TpmPcrs)[]

/** Two banks say different things of one boot: there is no stricter one. */
const same = <const T extends string>(item: Item<T>): Shape<T> =>
  leaf({
    ...item,
    both: (floor, tenant) => (floor === tenant ? tenant : undefined),
    within: (tenant, floor) => tenant === floor,
  })

const pcr = (index: string): Member<NonEmpty<string>> => ({
  description: `Values that PCR ${index} may have, hexadecimal, as long as the digests of the bank.`,
  shape: accepted(hex(...Object.values(BANK_BYTES)), 64),
  absent: OMITTED,
})

const pcrs = object<TpmPcrs>(
  Object.fromEntries(PCR_INDEXES.map((index) => [index, pcr(index)])) as unknown as Members<TpmPcrs>,
)

const TRUST = [
  'activated',
  'certificate',
  'cpu-report',
  'pinned',
] as const satisfies readonly TpmRule['akTrust'][number][]

/** Rules for a TPM beside the CPU. Left out as a whole, a TPM is neither required nor relied on. */
export const tpmRule = object<TpmRule>({
  akTrust: {
    description:
      'What may vouch for the attestation key; one is enough. cpu-report: the CPU report covers it (Azure). certificate: its maker certifies it. activated: the TPM proved to this verifier that it holds it beside a certified endorsement key. pinned: its name is in akNames.',
    shape: accepted(oneOf(TRUST), TRUST.length),
    absent: REQUIRED,
  },
  akNames: {
    description:
      'Names of attestation keys, 4 hexadecimal digits of the algorithm and the digest of the public area; a quote by any other key is refused.',
    shape: allowList(hex(34, 50, 66)),
    absent: 'any',
  },
  gceProjects: {
    description: "Google Cloud projects, by id, that the key's certificate may name.",
    shape: allowList(formed(/^[a-z0-9][a-z0-9.:-]{0,127}$/, 'the id of a Google Cloud project')),
    absent: 'any',
  },
  revocation: {
    description:
      'Whether revocation lists must clear the chain of a certificate that vouches for the key, or that names its project.',
    shape: choice(['required', 'none']),
    absent: 'required',
  },
  bank: { description: 'Bank of PCRs that counts.', shape: same(oneOf(BANKS)), absent: 'sha256' },
  pcrs: {
    description: 'Values by PCR. One that is named here must be quoted; 16 and 23 prove nothing and cannot be named.',
    shape: pcrs,
    absent: {},
  },
  secureBoot: {
    description: 'required: an event log that replays to the quoted PCR 7 must show that secure boot was on.',
    shape: choice(['required', 'any']),
    absent: 'required',
  },
  clock: {
    description: 'safe: the TPM must know that its clock never was reported higher.',
    shape: choice(['safe', 'any']),
    absent: 'safe',
  },
  counters: {
    description:
      'known: the verifier must have seen this key before, and no counter may be lower than then. if-known: compared where it has.',
    shape: choice(['known', 'if-known']),
    absent: 'if-known',
  },
  minResetCount: {
    description: 'Lowest resetCount, which rises with every start of the machine.',
    shape: atLeast(0, 0xffffffff),
    absent: 0,
  },
})
