import type { BitRule, SnpGuestPolicyRule, SnpPlatformInfoRule, SnpRule, SnpTcbMinimum } from './policy.ts'
import { ALWAYS, leaf, type Member, object, type Shape } from './shape.ts'
import {
  accepted,
  allowList,
  always,
  atLeast,
  bit,
  choice,
  dayOr,
  formed,
  hex,
  integer,
  oneOf,
  requiredBits,
  versionAtLeast,
} from './values.ts'

const NO_BITS = '0000000000000000'

const level = (description: string): Member<number> => ({ description, shape: atLeast(0, 255), absent: 0 })

const tcbMinimum = object<SnpTcbMinimum>({
  fmc: level('FMC security patch level; Turin alone has one.'),
  bootloader: level('Bootloader security patch level.'),
  tee: level('TEE security patch level.'),
  snp: level('SNP firmware security patch level.'),
  microcode: level(
    'Microcode security patch level. AMD numbers it per processor model, so a minimum fits one model only.',
  ),
})
const NO_MINIMUM: SnpTcbMinimum = { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 }

const weakening = (description: string): Member<'forbidden' | 'allowed'> => ({
  description,
  shape: choice(['forbidden', 'allowed']),
  absent: 'forbidden',
})
const protecting = (description: string): Member<'required' | 'any'> => ({
  description,
  shape: choice(['required', 'any']),
  absent: 'any',
})

const guestPolicy = object<SnpGuestPolicyRule>({
  debug: weakening('Bit 19: the host may read the guest. `allowed` needs "profile": "development".'),
  migrationAgent: weakening(
    'Bit 18: the guest may be handed to a migration agent; one that is attached is refused as well.',
  ),
  smt: {
    ...weakening('Bit 16: two threads may share a core. `forbidden` also refuses a platform that has SMT on.'),
    absent: 'allowed',
  },
  cxl: weakening('Bit 21: the guest may be placed on CXL memory.'),
  singleSocket: protecting('Bit 20: the guest insists on one socket.'),
  memAes256Xts: protecting('Bit 22: the guest insists on AES-256-XTS memory encryption.'),
  raplDisabled: protecting('Bit 23: the guest insists that power metering (RAPL) be off.'),
  ciphertextHiding: protecting('Bit 24: the guest insists that the host cannot read its ciphertext (AMD-SB-3021).'),
  pageSwapDisabled: protecting('Bit 25: the guest forbids the host to move or swap its pages (AMD-SB-3021).'),
})
const GUEST_POLICY: SnpGuestPolicyRule = {
  debug: 'forbidden',
  migrationAgent: 'forbidden',
  smt: 'allowed',
  cxl: 'forbidden',
  singleSocket: 'any',
  memAes256Xts: 'any',
  raplDisabled: 'any',
  ciphertextHiding: 'any',
  pageSwapDisabled: 'any',
}

const platformBit = (description: string, absent: BitRule = 'any'): Member<BitRule> => ({
  description,
  shape: bit,
  absent,
})

const platformInfo = object<SnpPlatformInfoRule>({
  smtEnabled: platformBit('Bit 0: SMT is on.'),
  tsmeEnabled: platformBit('Bit 1: transparent memory encryption is on.'),
  eccEnabled: platformBit('Bit 2: the memory has error correction.'),
  raplDisabled: platformBit('Bit 3: power metering is off.'),
  ciphertextHidingDramEnabled: platformBit('Bit 4: ciphertext hiding is on.'),
  aliasCheckComplete: platformBit('Bit 5: the firmware looked for aliased memory (BadRAM, AMD-SB-3015).', 'required'),
  iommuWriteSafe: platformBit('Bit 6: the IOMMU does not write into guest memory (AMD-SB-3016).'),
  sevTioEnabled: platformBit('Bit 7: trusted I/O is on.'),
  unknownBits: {
    description: 'Bits 8 and above, which this verifier does not know.',
    shape: choice(['refused', 'allowed']),
    absent: 'refused',
  },
})
const PLATFORM_INFO: SnpPlatformInfoRule = {
  smtEnabled: 'any',
  tsmeEnabled: 'any',
  eccEnabled: 'any',
  raplDisabled: 'any',
  ciphertextHidingDramEnabled: 'any',
  aliasCheckComplete: 'required',
  iommuWriteSafe: 'any',
  sevTioEnabled: 'any',
  unknownBits: 'refused',
}

/** `all` sorts after every day, so the later of two is the stricter. */
const bulletins: Shape<string> = leaf({
  ...dayOr('all'),
  both: (floor, tenant) => (floor > tenant ? floor : tenant),
  within: (tenant, floor) => tenant >= floor,
})

const firmwareVersion = formed(/^[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}$/, 'a version such as 1.55.40')
const abiVersion = formed(/^[0-9]{1,3}\.[0-9]{1,3}$/, 'a version such as 1.55')
const cspId = formed(/^[A-Za-z0-9][A-Za-z0-9=.,_ -]{0,127}$/, 'a CSP_ID such as CN=cc-us-east-2.amazonaws.com')

const digestList = (description: string, sizeBytes: number): Member<SnpRule['measurements']> => ({
  description,
  shape: allowList(hex(sizeBytes)),
  absent: 'any',
})

/** Rules for one AMD SEV-SNP report. What is left out is refused as far as a machine in order can do without it. */
export const snpRule = object<SnpRule>({
  platform: { description: 'The kind of evidence.', shape: always('amd/snp'), absent: ALWAYS },
  products: {
    description:
      'Processor lines. Milan also needs "milan-seed-extraction" in acceptRisks: with a root seed extracted in software, a Milan chip can claim any firmware level.',
    shape: accepted(oneOf(['Genoa', 'Milan', 'Turin'])),
    absent: ['Genoa', 'Turin'],
  },
  minReportVersion: {
    description: 'Lowest report version. Version 2 names no processor, version 5 is the first with mitigation vectors.',
    shape: atLeast(2, 5),
    absent: 3,
  },
  signingKeys: {
    description: 'Keys that may sign the report: vcek belongs to a chip, vlek to a cloud operator.',
    shape: accepted(oneOf(['vcek', 'vlek'])),
    absent: ['vcek'],
  },
  vmpl: {
    description:
      'Privilege levels at which the report may be asked for. Above 0 something else rules the guest: pin its measurement.',
    shape: accepted(integer(0, 3)),
    absent: [0],
  },
  tcbFloors: {
    description: 'Firmware levels that AMD bulletins ask for, applied to REPORTED_TCB and PLATFORM_INFO.',
    shape: object<SnpRule['tcbFloors']>({
      bulletins: {
        description: 'All bulletins known at the time of judgement, or those published up to and including a day.',
        shape: bulletins,
        absent: 'all',
      },
    }),
    absent: { bulletins: 'all' },
  },
  minTcb: {
    description: 'Further minimum of REPORTED_TCB, component by component.',
    shape: tcbMinimum,
    absent: NO_MINIMUM,
  },
  minLaunchTcb: {
    description: 'Minimum of LAUNCH_TCB: a guest started on older firmware keeps its risks.',
    shape: tcbMinimum,
    absent: NO_MINIMUM,
  },
  minFirmware: {
    description: 'Lowest version of the running SEV firmware: major.minor.build.',
    shape: versionAtLeast(firmwareVersion),
    absent: '0.0.0',
  },
  minGuestSvn: {
    description: 'Lowest GUEST_SVN, which the publisher of the image signs in its ID block.',
    shape: atLeast(0, 0xffffffff),
    absent: 0,
  },
  minAbi: {
    description: 'Lowest ABI version that the guest itself demands of the firmware: major.minor.',
    shape: versionAtLeast(abiVersion),
    absent: '0.0',
  },
  provisionalFirmware: {
    description:
      'Running firmware that is not committed, so that the host may go back to an older one after attesting.',
    shape: choice(['refused', 'allowed']),
    absent: 'refused',
  },
  maskedChipId: {
    description: 'A report that does not say which chip it is from. VLEK reports of some clouds never do.',
    shape: choice(['refused', 'allowed']),
    absent: 'refused',
  },
  guestPolicy: { description: 'POLICY of the guest, as it was launched.', shape: guestPolicy, absent: GUEST_POLICY },
  platformInfo: { description: 'PLATFORM_INFO: how the host is set up.', shape: platformInfo, absent: PLATFORM_INFO },
  mitigations: {
    description: 'Bits that must be set in the mitigation vectors, 16 hexadecimal digits; needs reports of version 5.',
    shape: object<SnpRule['mitigations']>({
      launch: { description: 'Of LAUNCH_MIT_VECTOR.', shape: requiredBits, absent: NO_BITS },
      current: { description: 'Of CURRENT_MIT_VECTOR.', shape: requiredBits, absent: NO_BITS },
    }),
    absent: { launch: NO_BITS, current: NO_BITS },
  },
  measurements: digestList(
    'Launch digests (MEASUREMENT), 96 hexadecimal digits each. Left out, any image passes here; level 3 and above then rest on signed reference values alone.',
    48,
  ),
  hostData: digestList('HOST_DATA values, 64 hexadecimal digits each.', 32),
  idKeyDigests: digestList(
    'SHA-384 digests of ID keys. A key alone admits every image it ever signed: name measurements too.',
    48,
  ),
  authorKeyDigests: digestList('SHA-384 digests of author keys; a report without author key is then refused.', 48),
  chipIds: {
    description: 'CHIP_ID values: 128 hexadecimal digits, or the first 16 of a Turin chip.',
    shape: allowList(hex(64, 8)),
    absent: 'any',
  },
  cspIds: {
    description: 'Cloud operators as a VLEK names them; a report signed by a VCEK is then refused.',
    shape: allowList(cspId),
    absent: 'any',
  },
  revocation: {
    description: "AMD's revocation list: required and current, or not looked at.",
    shape: choice(['required', 'none']),
    absent: 'required',
  },
})
