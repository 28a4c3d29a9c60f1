import type { AcceptableTcbStatus, DcapRule } from './policy.ts'
import { leaf, type Member, type Members, type Shape } from './shape.ts'
import { accepted, allowList, atLeast, choice, dayOr, denyList, formed, hex, oneOf } from './values.ts'

const STATUSES = [
  'UpToDate',
  'SWHardeningNeeded',
  'ConfigurationNeeded',
  'ConfigurationAndSWHardeningNeeded',
  'OutOfDate',
  'OutOfDateConfigurationNeeded',
  'TDRelaunchAdvised',
  'TDRelaunchAdvisedConfigurationNeeded',
] as const satisfies readonly AcceptableTcbStatus[]

const advisory = formed(/^INTEL-SA-[0-9]{5}$/, 'an advisory such as INTEL-SA-00615')

/** `any` sorts before every day here, so the later of two is the stricter. */
const dayOrAny: Shape<string> = leaf({
  ...dayOr('any'),
  both: (floor, tenant) => (floor === 'any' || (tenant !== 'any' && tenant > floor) ? tenant : floor),
  within: (tenant, floor) => floor === 'any' || (tenant !== 'any' && tenant >= floor),
})

export const weakening = (description: string, absent: 'forbidden' | 'allowed' = 'forbidden') => ({
  description,
  shape: choice(['forbidden', 'allowed'] as const),
  absent,
})

export const digestList = (description: string, sizeBytes: number): Member<DcapRule['fmspcs']> => ({
  description,
  shape: allowList(hex(sizeBytes)),
  absent: 'any',
})

/** Members that TDX and SGX alternatives share. */
export const dcapMembers: Members<DcapRule> = {
  tcbStatus: {
    description:
      "Results of Intel's TCB evaluation that are accepted, of platform, TDX module and quoting enclave together. Revoked is never accepted.",
    shape: accepted(oneOf(STATUSES)),
    absent: ['UpToDate'],
  },
  advisories: {
    description:
      'Security advisories that the accepted level may carry, e.g. INTEL-SA-00615; every other one is refused.',
    shape: allowList(advisory),
    absent: 'any',
  },
  denyAdvisories: {
    description: 'Security advisories that refuse the machine, whatever its status.',
    shape: denyList(advisory),
    absent: 'none',
  },
  minTcbEvaluationDataNumber: {
    description:
      'Lowest tcbEvaluationDataNumber of TCB info and QE identity: older collateral that is still valid may call an outdated machine up to date.',
    shape: atLeast(0, 0xffff),
    absent: 0,
  },
  minTcbDate: {
    description: 'Oldest TCB date that is accepted, of platform, TDX module and quoting enclave: a day, or any.',
    shape: dayOrAny,
    absent: 'any',
  },
  fmspcs: digestList('Platform families (FMSPC), 12 hexadecimal digits each.', 6),
  platforms: digestList('Platforms by PPID or platform instance id, 32 hexadecimal digits each.', 16),
  denyPlatforms: {
    description: 'FMSPCs (12 hexadecimal digits), PPIDs or platform instance ids (32) that are refused.',
    shape: denyList(hex(6, 16)),
    absent: 'none',
  },
  smt: weakening(
    'Two threads may share a core, as the PCK certificate says. Processor CA certificates do not say.',
    'allowed',
  ),
  revocation: {
    description:
      "Intel's two revocation lists, current. required: the verifier must have obtained them; stapled: those that came with the evidence count while they are valid, and their sender chose how old they are; none: not looked at.",
    shape: choice(['required', 'stapled', 'none']),
    absent: 'required',
  },
}
