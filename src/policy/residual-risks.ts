import { pinsLaunch } from './measurement.ts'
import { acceptsRisk, type CpuRule, type Policy, type SgxRule, type SnpRule, type TdxRule } from './policy.ts'

/** What a machine that meets the policy may still do, with the threats it comes from. */
export interface ResidualRisk {
  /** ids of THREATS.md */
  readonly threats: readonly string[]
  readonly text: string
}

interface Risk extends ResidualRisk {
  readonly remains: (policy: Policy) => boolean
}

const someCpu = (test: (rule: CpuRule) => boolean) => (policy: Policy) => policy.require.cpu.any.some(test)
const someSnp = (test: (rule: SnpRule) => boolean) => someCpu((rule) => rule.platform === 'amd/snp' && test(rule))
const someIntel = (test: (rule: TdxRule | SgxRule) => boolean) =>
  someCpu((rule) => rule.platform !== 'amd/snp' && test(rule))
function mayDebug(rule: CpuRule): boolean {
  switch (rule.platform) {
    case 'amd/snp':
      return rule.guestPolicy.debug === 'allowed'
    case 'intel/tdx':
      return rule.tdAttributes.debug === 'allowed'
    case 'intel/sgx':
      return rule.attributes.debug === 'allowed'
  }
}

const gpuOf = ({ require: { gpu } }: Policy) => (typeof gpu === 'object' ? gpu : undefined)

/** In the order of their weight. A line goes only where a rule of the policy truly removes it. */
const RISKS: readonly Risk[] = [
  {
    threats: ['T1', 'T2', 'T3'],
    text: "Does not stop the owner of the machine from extracting the chip's key with hardware on the memory bus, for under 1000 dollars. Evidence forged with such a key passes every check here.",
    remains: ({ require: { physical } }) => physical === 'any',
  },
  {
    threats: ['T1', 'T2', 'T3'],
    text: 'Rests on the word of whoever vouches for the place: the physical attacks themselves remain invisible in a report.',
    remains: ({ require: { physical } }) => physical !== 'any',
  },
  {
    threats: ['T6'],
    text: 'Milan is accepted: with a root seed extracted in software, a Milan chip can sign any report at any firmware level.',
    remains: someSnp((rule) => rule.products.includes('Milan')),
  },
  {
    threats: ['T30', 'T31'],
    text: 'Does not pin the image: any guest on genuine hardware is accepted, whatever runs in it.',
    remains: (policy) => policy.require.level < 3 && someCpu((rule) => !pinsLaunch(rule))(policy),
  },
  {
    threats: ['T34'],
    text: 'Does not stop host exec into containers, nor added containers: below level 4 nobody vouches that the measured image runs only what it was launched for.',
    remains: ({ require: { level } }) => level < 4,
  },
  {
    threats: ['T29', 'T34'],
    text: "A key in the report data may be the host's: images that sign any report data for anyone are accepted by name.",
    remains: (policy) => acceptsRisk(policy, 'open-quote-oracle'),
  },
  {
    threats: ['T20'],
    text: 'Does not prove that the GPU sits in this machine: its evidence may be relayed from another.',
    remains: (policy) => gpuOf(policy)?.binding === 'shared-nonce',
  },
  {
    threats: ['T21'],
    text: 'Does not prove that the TPM belongs to this machine: unless the CPU report covers its key, quotes may be relayed from another.',
    remains: ({ require: { tpm } }) => tpm?.akTrust.some((by) => by !== 'cpu-report') === true,
  },
  {
    threats: ['T12', 'T16'],
    text: 'Does not prove that the GPU is out of devtools mode, in which the host can read it.',
    remains: (policy) => gpuOf(policy)?.devtools === 'not-proved',
  },
  {
    threats: ['T16'],
    text: 'Several Hopper GPUs may exchange data in plain text over NVLink.',
    remains: (policy) => gpuOf(policy) !== undefined && acceptsRisk(policy, 'plain-nvlink'),
  },
  {
    threats: ['T52'],
    text: "GPU firmware and driver are not compared with the vendor's values: genuine GPUs with bad firmware are accepted.",
    remains: (policy) => gpuOf(policy)?.rim === 'none',
  },
  {
    threats: ['T41', 'T43'],
    text: 'Revoked certificates may go unnoticed, because revocation is not looked at everywhere.',
    remains: (policy) =>
      gpuOf(policy)?.revocation === 'none' || someCpu((rule) => rule.revocation !== 'required')(policy),
  },
  {
    threats: ['T14'],
    text: 'The host may go back to older firmware after the evidence was made.',
    remains: someSnp((rule) => rule.provisionalFirmware === 'allowed'),
  },
  {
    threats: ['T14'],
    text: 'Platforms that Intel calls out of date, or in need of hardening or configuration, are accepted: the advisories behind the status may let the host read the guest.',
    remains: someIntel((rule) => rule.tcbStatus.some((status) => status !== 'UpToDate')),
  },
  {
    threats: ['T9'],
    text: 'Nothing hides the pattern of memory accesses and page faults of TDX and SGX from the host, and code may leak secrets through it.',
    remains: someIntel(() => true),
  },
  {
    threats: ['T28'],
    text: 'A machine may hide which chip it is, and one machine may pass for many.',
    remains: someSnp((rule) => rule.maskedChipId === 'allowed' || rule.signingKeys.includes('vlek')),
  },
  {
    threats: ['T12'],
    text: 'The host may debug the guest and read all of its memory.',
    remains: someCpu(mayDebug),
  },
  {
    threats: ['T9'],
    text: 'The host may read ciphertext and move pages, and learn from how they change.',
    remains: someSnp(({ guestPolicy: g }) => g.ciphertextHiding === 'any' || g.pageSwapDisabled === 'any'),
  },
  {
    threats: ['T30'],
    text: 'Nothing in the launch names this lease: a guest launched for somebody else can answer for it.',
    remains: ({ require: { leaseBinding } }) => leaseBinding === 'none',
  },
  {
    threats: ['T32'],
    text: 'Speaks of the moment of the challenge: what happens to the machine afterwards shows only when it is asked again.',
    remains: () => true,
  },
]

export const residualRisks = (policy: Policy): readonly ResidualRisk[] =>
  RISKS.filter(({ remains }) => remains(policy)).map(({ threats, text }) => ({ threats, text }))
