import type { SnpFirmwareVersion, SnpGuestPolicy, SnpPlatformInfo, SnpTcb } from '../../attestation/claims.ts'
import type { SNP_REPORT_LAYOUTS, SnpReport } from '../../attestation/sev-snp/index.ts'
import { TCB_BYTES } from '../../attestation/sev-snp/tcb.ts'
import { type BitRow, bitPart, type Meaning, number, optional, says } from './meanings.ts'
import type { PartView } from './model.ts'

type Names<V extends keyof typeof SNP_REPORT_LAYOUTS> = keyof (typeof SNP_REPORT_LAYOUTS)[V]['fields'] & string
/** Every field of every version that is not reserved; a field that is added to a layout has to be explained here. */
export type SnpField = Exclude<Names<2> | Names<3> | Names<5>, `reserved${string}`>

const hex = (n: number): string => `0x${n.toString(16).padStart(2, '0')}`

const firmware = ({ major, minor, build }: SnpFirmwareVersion): string => `${major}.${minor}.${build}`

/** Bits of the guest's POLICY, with what each says when set and when clear (AMD 56860, GUEST_POLICY). */
export const POLICY_BITS: readonly BitRow<Exclude<keyof SnpGuestPolicy, 'abiMajor' | 'abiMinor'>>[] = [
  [16, 'smtAllowed', 'the guest runs where SMT is on', 'the guest refuses to run where SMT is on'],
  [18, 'migrationAgentAllowed', 'a migration agent may take the guest’s memory', 'no migration agent'],
  [19, 'debugAllowed', 'the host can read and write guest memory', 'the host cannot debug this guest'],
  [20, 'singleSocketRequired', 'one socket only', 'several sockets may be used'],
  [21, 'cxlAllowed', 'CXL memory or devices may be attached', 'no CXL'],
  [22, 'memAes256XtsRequired', 'memory must be encrypted with AES-256-XTS', 'AES-128-XTS is enough'],
  [23, 'raplDisabledRequired', 'power readings (RAPL) must be off', 'power readings (RAPL) may be on'],
  [24, 'ciphertextHidingRequired', 'the host must not see ciphertext', 'the host may see ciphertext'],
  [25, 'pageSwapDisabled', 'guest pages cannot be swapped or moved', 'the host may swap and move guest pages'],
]

/** Bits of PLATFORM_INFO (AMD 56860). */
export const PLATFORM_BITS: readonly BitRow<Exclude<keyof SnpPlatformInfo, 'unknownBits'>>[] = [
  [0, 'smtEnabled', 'SMT is on', 'SMT is off'],
  [1, 'tsmeEnabled', 'all memory is encrypted (TSME)', 'TSME is off'],
  [2, 'eccEnabled', 'memory has ECC', 'memory has no ECC'],
  [3, 'raplDisabled', 'power readings (RAPL) are off', 'power readings (RAPL) are on'],
  [4, 'ciphertextHidingDramEnabled', 'ciphertext in memory is hidden from the host', 'the host can see ciphertext'],
  [5, 'aliasCheckComplete', 'memory was checked for aliases (BadRAM)', 'memory was not checked for aliases (BadRAM)'],
  [6, 'iommuWriteSafe', 'the IOMMU write protection is in force', 'the IOMMU write protection is not reported'],
  [7, 'sevTioEnabled', 'trusted I/O (SEV-TIO) is on', 'trusted I/O (SEV-TIO) is off'],
]

function guestPolicy({ policy }: SnpReport): Meaning {
  const bits = POLICY_BITS.map(([bit, name, set, clear]) => bitPart(bit, name, policy[name], set, clear))
  return {
    text: `what the guest demands of its platform; firmware ABI ${policy.abiMajor}.${policy.abiMinor} or later`,
    parts: [
      { at: 'bits 0–7', name: 'abiMinor', value: policy.abiMinor, meaning: 'least firmware ABI, minor number' },
      { at: 'bits 8–15', name: 'abiMajor', value: policy.abiMajor, meaning: 'least firmware ABI, major number' },
      ...bits.slice(0, 1),
      { at: 'bit 17', name: 'reserved', value: 1, meaning: 'must be one' },
      ...bits.slice(1),
    ],
  }
}

function platformInfo({ platformInfo: info }: SnpReport): Meaning {
  const parts = PLATFORM_BITS.map(([bit, name, set, clear]) => bitPart(bit, name, info[name], set, clear))
  const unknown = info.unknownBits === '0' ? '' : `; bits without a published meaning: 0x${info.unknownBits}`
  return { text: `settings of the machine${unknown}`, parts }
}

function keyInfo(report: SnpReport): Meaning {
  const { authorKeyEnabled, maskChipKey, signingKey } = report
  const author = bitPart(0, 'authorKeyEnabled', authorKeyEnabled, 'an author key signed the ID key', 'no author key')
  const mask = bitPart(1, 'maskChipKey', maskChipKey, 'the platform masks its chip keys', 'chip keys are not masked')
  const text = signingKey === 'vcek' ? 'VCEK, a key of this chip' : 'VLEK, a key of a cloud provider'
  const signing = { at: 'bits 2–4', name: 'signingKey', value: signingKey === 'vcek' ? 0 : 1, meaning: text }
  return { text: `signed by the ${signingKey.toUpperCase()}`, parts: [author, mask, signing] }
}

const COMPONENTS: Readonly<Record<keyof SnpTcb, string>> = {
  fmc: 'FMC firmware',
  bootloader: 'boot loader of the security processor',
  tee: 'operating system of the security processor',
  snp: 'SEV-SNP firmware',
  microcode: 'microcode, the low byte of its revision',
}

/** A TCB_VERSION, component by component as the product lays it out. Version 2 reports have the layout of Milan and Genoa. */
const tcb =
  (name: 'currentTcb' | 'reportedTcb' | 'committedTcb' | 'launchTcb', text: string) =>
  (report: SnpReport): Meaning => {
    const levels = report[name]
    const parts = TCB_BYTES[report.product ?? 'Milan'].flatMap((component, byte): PartView[] =>
      component === 'reserved'
        ? []
        : [{ at: `byte ${byte}`, name: component, value: levels[component] ?? 0, meaning: COMPONENTS[component] }],
    )
    return { text, parts }
  }

const PRODUCT_NOTE = 'as CPUID gives it'
const mitigations = (vector: bigint | undefined, when: string): Meaning => ({
  text: `0x${(vector ?? 0n).toString(16)}: mitigations in force ${when}, one bit each`,
})

/** What every field says, in the words of AMD 56860, ATTESTATION_REPORT. */
export const SNP_MEANINGS: Readonly<Record<SnpField, (report: SnpReport) => Meaning>> = {
  version: (r) => number(r.version, 'format of the report'),
  guestSvn: (r) => number(r.guestSvn, 'security version of the guest, from its ID block'),
  policy: guestPolicy,
  familyId: (r) => optional(r.familyId, 'family of the guest, from its ID block', 'no ID block names one'),
  imageId: (r) => optional(r.imageId, 'image of the guest, from its ID block', 'no ID block names one'),
  vmpl: (r) => number(r.vmpl, 'privilege level of the code that asked, 0 the most privileged'),
  signatureAlgo: says('1: ECDSA P-384 with SHA-384'),
  currentTcb: tcb('currentTcb', 'firmware level that runs now'),
  platformInfo,
  keyInfo,
  reportData: says('chosen by whoever asked: nonce, or hash that binds one'),
  measurement: says('SHA-384 launch digest of the guest'),
  hostData: (r) => optional(r.hostData, 'given by the host at launch', 'the host gave nothing at launch'),
  idKeyDigest: (r) => optional(r.idKeyDigest, 'SHA-384 of the key that signed the ID block', 'no ID block'),
  authorKeyDigest: (r) => optional(r.authorKeyDigest, 'SHA-384 of the key that signed the ID key', 'no author key'),
  reportId: says('names this guest for as long as it lives'),
  reportIdMa: (r) => ({
    text: r.reportIdMa.every((b) => b === 0xff) ? 'all ones: no migration agent' : 'REPORT_ID of the migration agent',
  }),
  reportedTcb: tcb('reportedTcb', 'firmware level that the signing key was derived for'),
  cpuidFamily: (r) => ({ text: `family ${hex(r.cpuid?.family ?? 0)}, ${PRODUCT_NOTE}: ${r.product}` }),
  cpuidModel: (r) => ({ text: `model ${hex(r.cpuid?.model ?? 0)}` }),
  cpuidStepping: (r) => ({ text: `stepping ${hex(r.cpuid?.stepping ?? 0)}` }),
  chipId: (r) => optional(r.chipId, 'names the chip', 'the platform masks it'),
  committedTcb: tcb('committedTcb', 'firmware cannot be taken back below this level'),
  currentBuild: (r) => ({ text: `firmware ${firmware(r.currentFirmware)}: build` }),
  currentMinor: says('minor'),
  currentMajor: says('major'),
  committedBuild: (r) => ({ text: `committed firmware ${firmware(r.committedFirmware)}: build` }),
  committedMinor: says('minor'),
  committedMajor: says('major'),
  launchTcb: tcb('launchTcb', 'firmware level when the guest was launched'),
  launchMitVector: (r) => mitigations(r.launchMitVector, 'at launch'),
  currentMitVector: (r) => mitigations(r.currentMitVector, 'now'),
  signatureR: says('r of the signature over bytes 0x000–0x29f, least significant byte first'),
  signatureRUpper: says('zero: P-384 fills 48 of 72 bytes'),
  signatureS: says('s of the signature'),
  signatureSUpper: says('zero: P-384 fills 48 of 72 bytes'),
}
