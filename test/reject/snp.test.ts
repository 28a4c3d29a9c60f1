import { describe } from 'vitest'
import { decodeSnpReport } from '../../src/attestation/sev-snp/decode.ts'
import { concatBytes } from '../../src/core/bytes.ts'
import type { Code } from '../../src/core/codes.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Decision } from '../../src/decision/decision.ts'
import { parsePolicy, presetPolicy } from '../../src/policy/parse.ts'
import type { Policy } from '../../src/policy/policy.ts'
import {
  AMD_FAULTS,
  type AmdFault,
  type AmdMachineOptions,
  type AmdProduct,
  type AmdTcb,
  amdMachine,
  certificateTable,
} from '../../src/testing/index.ts'
import type { RowId } from './catalogue.ts'
import { type Check, type OtherCode, row } from './row.ts'
import { MEASUREMENT } from './signer.ts'
import { AT, amdCollateral, bundle, bundleItem, cpu, cpuDocument, cpuPolicy, cpuScene, judged } from './stage.ts'

/** Takes every product, kind of key and version, so that only the check under test can refuse. */
const OPEN = cpuPolicy(
  {
    products: ['Milan', 'Genoa', 'Turin'],
    signingKeys: ['vcek', 'vlek'],
    minReportVersion: 2,
    maskedChipId: 'allowed',
  },
  { acceptRisks: ['milan-seed-extraction'] },
)

const judge = (options: AmdMachineOptions = {}, policy: Policy = OPEN): Promise<Decision> =>
  judged(cpuScene(cpu(options)), { policy })
const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex')

/** What the fault cannot be made without; its accepted twin is the machine made with these alone. */
const needsOf = (wrong: AmdFault): AmdMachineOptions => AMD_FAULTS[wrong].needs ?? {}
const twinOf = (wrong: AmdFault, policy = OPEN) => judge(needsOf(wrong), policy)

const named = (id: RowId): readonly AmdFault[] =>
  (Object.keys(AMD_FAULTS) as AmdFault[]).filter((wrong) => AMD_FAULTS[wrong].rows.includes(id))

/** Every fault that the test kit has for this row, each beside the machine without it. */
function kitRow(
  id: RowId,
  {
    policy = OPEN,
    but = [],
    codes = {},
  }: {
    policy?: Policy
    /** faults that are cases of their own */
    but?: readonly AmdFault[]
    codes?: Readonly<Partial<Record<AmdFault, Code>>>
  } = {},
): void {
  const faults = named(id).filter((wrong) => !but.includes(wrong))
  const check = (wrong: AmdFault): Check | OtherCode => {
    const check = () => judge({ ...needsOf(wrong), wrong }, policy)
    const code = codes[wrong]
    return code === undefined ? check : { code, check }
  }
  row(id, {
    twin: Object.fromEntries(faults.map((wrong) => [wrong, () => twinOf(wrong, policy)])),
    bad: Object.fromEntries(faults.map((wrong) => [wrong, check(wrong)])),
  })
}

const good = () => judge()

describe('the bytes of the report', () => {
  const CPU = cpu()
  const shown = (report: Uint8Array) =>
    judged({ ...cpuScene(CPU), evidence: bundle([bundleItem('cpu', 'amd/snp-report', report, [CPU.table])]) })
  row('RJ-SNP-01', {
    twin: good,
    bad: {
      '1183 bytes': () => shown(CPU.report.subarray(0, 1183)),
      '671 bytes': () => shown(CPU.report.subarray(0, 671)),
      'one byte': () => shown(CPU.report.subarray(0, 1)),
      'no byte, decoded': () => decodeSnpReport(new Uint8Array(), 'report'),
      'no byte, as evidence': { code: 'ENV_EVIDENCE_EMPTY', check: () => shown(new Uint8Array()) },
    },
  })
  row('RJ-SNP-02', {
    twin: good,
    bad: {
      'one byte more': () => shown(concatBytes(CPU.report, Uint8Array.of(0))),
      'as much as one report may have': () => shown(concatBytes(CPU.report, new Uint8Array(65536 - 1184))),
      '100 kB': { code: 'LIMIT_EVIDENCE_BYTES', check: () => shown(concatBytes(CPU.report, new Uint8Array(100_000))) },
    },
  })
  kitRow('RJ-SNP-03')
  kitRow('RJ-SNP-04')
  row('RJ-SNP-04', {
    about: 'the reserved bits of the key information',
    twin: { ...numbered(5, 31, () => judge({ report: { keyInfo: 0 } })) },
    bad: numbered(5, 31, (bit) => judge({ report: { keyInfo: 2 ** bit } })),
  })
  kitRow('RJ-SNP-05')
  kitRow('RJ-SNP-06')
  kitRow('RJ-SNP-07')
  kitRow('RJ-SNP-08')
  kitRow('RJ-SNP-09')
  row('RJ-SNP-10', {
    twin: {
      ...numbered(2, 7, () => judge({ report: { signingKey: 0 } })),
      'NONE, unsigned': () => judge(),
      'NONE, signed': () => judge({ kind: 'VLEK' }),
    },
    bad: {
      ...numbered(2, 7, (signingKey) => judge({ report: { signingKey } })),
      'NONE, unsigned': () => judge({ wrong: 'signer-none' }),
      'NONE, signed': () => judge({ kind: 'VLEK', report: { signingKey: 7 } }),
    },
  })
  row('RJ-SNP-27', {
    twin: { ...numbered(26, 63, good), 'bit 17 clear': good },
    bad: {
      ...numbered(26, 63, (bit) => judge({ report: { policy: 0x30000n | (1n << BigInt(bit)) } })),
      'bit 17 clear': () => judge({ wrong: 'policy-mbo17-clear' }),
    },
  })
  row('RJ-SNP-37', {
    twin: good,
    bad: {
      'at VMPL 0xffffffff': () => judge({ wrong: 'vmpl-host' }),
      'signed by a VLEK': () => judge({ kind: 'VLEK', wrong: 'vmpl-host' }),
      'on Turin': () => judge({ product: 'Turin', wrong: 'vmpl-host' }),
    },
  })
})

/** One case a number. */
function numbered(first: number, last: number, check: (n: number) => ReturnType<Check>): Record<string, Check> {
  const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
  return Object.fromEntries(numbers.map((n) => [`${n}`, () => check(n)]))
}

describe('the key that signed', () => {
  kitRow('RJ-SNP-11')
  kitRow('RJ-SNP-12')
  kitRow('RJ-SNP-13')
  // The certificate must name the chip that the report names, or the first difference told is another one.
  const turinLike = new Uint8Array(64).fill(7, 0, 8)
  kitRow('RJ-SNP-26', { but: ['v2-turin-like-chip'] })
  row('RJ-SNP-26', {
    about: 'in version 2, which names no product',
    twin: {
      'a chip id as on Turin': () => judge({ report: { version: 2 }, chipId: new Uint8Array(64).fill(7) }),
      'under a chain of Turin': () => judge({ product: 'Genoa', kind: 'VLEK', report: { version: 2 } }),
    },
    bad: {
      'a chip id as on Turin': () => judge({ report: { version: 2 }, chipId: turinLike }),
      'under a chain of Turin': () => {
        const tcb = { fmc: 0, bl: 2, tee: 0, snp: 0, ucode: 0x54 } // fits both layouts but for its first two bytes
        return judge({ product: 'Turin', kind: 'VLEK', tcb, report: { version: 2 } })
      },
    },
  })
  kitRow('RJ-SNP-38')
  kitRow('RJ-SNP-39')

  const other = amdMachine('another chip', { at: AT })
  const third = amdMachine('a third chip', { at: AT })
  const CPU = cpu()
  const without = (endorsements: readonly Uint8Array[], collateral: readonly Uint8Array[] = []) =>
    judged(cpuScene(CPU, endorsements), { collateral: [...amdCollateral(CPU), ...collateral] })
  row('RJ-SNP-36', {
    twin: {
      nothing: () => without([CPU.table]),
      'the authorities only': () => without([], [CPU.vek, CPU.intermediate]),
      'keys of other chips': () => without([], [CPU.vek, other.vek, third.vek, CPU.intermediate]),
      'a VLEK beside it': () => without([CPU.vek], [CPU.intermediate]),
    },
    bad: {
      nothing: () => without([]),
      'the authorities only': () =>
        without([
          certificateTable([
            { kind: 'ARK', body: CPU.ark },
            { kind: 'ASK', body: CPU.intermediate },
          ]),
        ]),
      'keys of other chips': () => without([], [other.vek, third.vek, CPU.intermediate]),
      'a VLEK beside it': () => without([], [cpu({ kind: 'VLEK' }).vek, CPU.intermediate]),
    },
  })
})

const COMPONENT = { fmc: 'fmc', bl: 'bootloader', tee: 'tee', snp: 'snp', ucode: 'microcode' } as const
const minimum = (tcb: AmdTcb): JsonObject =>
  Object.fromEntries(
    Object.entries(COMPONENT).flatMap(([ours, name]) => {
      const level = tcb[ours as keyof AmdTcb]
      return level === undefined ? [] : [[name, level]]
    }),
  )
const GENOA = cpu().tcb
const TURIN = cpu({ product: 'Turin' }).tcb

describe('the firmware', () => {
  row('RJ-SNP-14', {
    twin: {
      'a TCB that is not committed': good,
      'a version that is not committed': good,
      'allowed by name': () => judge({ wrong: 'provisional-firmware' }, cpuPolicy({ provisionalFirmware: 'allowed' })),
    },
    bad: {
      'a TCB that is not committed': () => judge({ wrong: 'provisional-firmware' }),
      'a version that is not committed': () => judge({ report: { committedBuild: 64 } }),
      'allowed by name': () => judge({ wrong: 'provisional-firmware' }, presetPolicy('cpu-confidential')),
    },
  })

  const floor = { bl: GENOA, tee: GENOA, snp: GENOA, ucode: GENOA, fmc: TURIN }
  row('RJ-SNP-15', {
    twin: Object.fromEntries(
      Object.entries(floor).map(([part, tcb]) => {
        const options: AmdMachineOptions = { product: tcb === TURIN ? 'Turin' : 'Genoa' }
        return [part, () => judge(options, cpuPolicy({ minTcb: minimum(tcb) }))]
      }),
    ),
    bad: Object.fromEntries(
      Object.entries(floor).map(([part, tcb]) => {
        const wrong = `tcb-below-floor-${part}` as AmdFault
        return [part, () => judge({ ...needsOf(wrong), wrong }, cpuPolicy({ minTcb: minimum(tcb) }))]
      }),
    ),
  })

  const products: readonly AmdProduct[] = ['Milan', 'Genoa', 'Turin']
  row('RJ-SNP-16', {
    twin: Object.fromEntries(products.map((product) => [product, () => judge({ product })])),
    bad: Object.fromEntries(
      products.map((product) => [product, () => judge({ product, wrong: 'tcb-below-advisory' })]),
    ),
  })

  row('RJ-SNP-29', {
    twin: {
      'policy silent': () => judge({ product: 'Milan' }),
      'the preset': () => judge({ product: 'Genoa' }, presetPolicy('cpu-confidential')),
      'Turin where Genoa is named': () => judge({ product: 'Genoa' }, cpuPolicy({ products: ['Genoa'] })),
    },
    bad: {
      'policy silent': () => judge({ product: 'Milan' }, cpuPolicy()),
      'the preset': () => judge({ product: 'Milan' }, presetPolicy('cpu-confidential')),
      'Turin where Genoa is named': () => judge({ product: 'Turin' }, cpuPolicy({ products: ['Genoa'] })),
    },
  })

  row('RJ-SNP-34', {
    twin: () => judge({}, cpuPolicy({ minLaunchTcb: minimum(GENOA) })),
    bad: () => judge({ wrong: 'launch-tcb-low' }, cpuPolicy({ minLaunchTcb: minimum(GENOA) })),
  })

  const mitigated = (which: 'current' | 'launch', bits: string) => cpuPolicy({ mitigations: { [which]: bits } })
  row('RJ-SNP-35', {
    twin: {
      'bit clear in a report of version 5': () => judge({}, mitigated('current', '0000000000000001')),
      'bit clear at launch': () => judge({}, mitigated('launch', '0000000000000002')),
      'bit that no firmware sets': () => judge({}, mitigated('current', '000000000000003f')),
      'a report of version 3': () => judge({ report: { version: 3 } }),
      'a report of version 4': () => judge({ report: { version: 4 } }),
    },
    bad: {
      'bit clear in a report of version 5': () =>
        judge({ wrong: 'mitigation-bit-clear' }, mitigated('current', '0000000000000001')),
      'bit clear at launch': () =>
        judge({ report: { launchMitVector: 0x3d } }, mitigated('launch', '0000000000000002')),
      'bit that no firmware sets': () => judge({}, mitigated('current', '8000000000000000')),
      'a report of version 3': () => judge({ report: { version: 3 } }, mitigated('current', '0000000000000001')),
      'a report of version 4': () => judge({ report: { version: 4 } }, mitigated('launch', '0000000000000001')),
    },
  })
})

describe('how the guest was launched, and where', () => {
  const preset = presetPolicy('cpu-confidential')
  row('RJ-SNP-17', {
    twin: () => judge({}, preset),
    bad: {
      'under the preset': () => judge({ wrong: 'policy-debug' }, preset),
      'policy silent': () => judge({ wrong: 'policy-debug' }),
    },
  })
  row('RJ-SNP-18', {
    twin: () => judge({}, preset),
    bad: {
      'under the preset': () => judge({ wrong: 'policy-migrate-ma' }, preset),
      'policy silent': () => judge({ wrong: 'policy-migrate-ma' }),
    },
  })

  // Guest policy bit 16: SMT allowed. Platform information bit 0: SMT on.
  const noSmt = cpuPolicy({ guestPolicy: { smt: 'forbidden' } })
  row('RJ-SNP-19', {
    twin: () => judge({ report: { policy: 0x20000, platformInfo: 0x24 } }, noSmt),
    bad: {
      'allowed by the guest, off': () => judge({ report: { policy: 0x30000, platformInfo: 0x24 } }, noSmt),
      'allowed by the guest, on': () => judge({ report: { policy: 0x30000, platformInfo: 0x25 } }, noSmt),
      'forbidden by the guest, yet on': {
        code: 'SNP_POLICY_SMT_ALLOWED',
        also: ['SNP_PLATFORM_CONTRADICTS_POLICY'],
        check: () => judge({ wrong: 'smt-forbidden-but-enabled' }, noSmt),
      },
    },
  })

  row('RJ-SNP-20', {
    twin: {
      ...numbered(1, 3, (vmpl) => judge({ report: { vmpl } }, cpuPolicy({ vmpl: [vmpl] }))),
      4: good,
      '0 where 2 is named': () => judge({ report: { vmpl: 2 } }, cpuPolicy({ vmpl: [2] })),
    },
    bad: {
      ...numbered(1, 4, (n) => judge({ wrong: `vmpl-${n}` as AmdFault })),
      '0 where 2 is named': () => judge({}, cpuPolicy({ vmpl: [2] })),
    },
  })
  row('RJ-SNP-21', {
    twin: () => judge({}, preset),
    bad: {
      'under the preset': () => judge({ wrong: 'platforminfo-alias-clear' }, preset),
      'policy silent': () => judge({ wrong: 'platforminfo-alias-clear' }),
      'on Turin': () => judge({ product: 'Turin', wrong: 'platforminfo-alias-clear' }),
    },
  })

  const guest = (name: string) => cpuPolicy({ guestPolicy: { [name]: 'required' } })
  row('RJ-SNP-22', {
    twin: () => judge({ report: { policy: 0x1030000, platformInfo: 0x35 } }, guest('ciphertextHiding')),
    bad: {
      'off on the platform': () => judge({}, guest('ciphertextHiding')),
      'on for the moment': () => judge({ report: { platformInfo: 0x35 } }, guest('ciphertextHiding')),
    },
  })
  row('RJ-SNP-23', {
    twin: () => judge({ report: { policy: 0x2030000 } }, guest('pageSwapDisabled')),
    bad: () => judge({}, guest('pageSwapDisabled')),
  })
  row('RJ-SNP-24', {
    twin: { MASK_CHIP_KEY: () => judge({}, preset), 'CHIP_ID zero': () => judge({}, preset) },
    bad: {
      MASK_CHIP_KEY: () => judge({ wrong: 'maskchipkey-nonzero-chip' }, preset),
      'CHIP_ID zero': () => judge({ wrong: 'vcek-chipid-zero' }, preset),
    },
  })
  row('RJ-SNP-25', {
    twin: () => judge({ kind: 'VLEK' }),
    bad: () => judge({ kind: 'VLEK' }, cpuPolicy({ maskedChipId: 'allowed' })),
  })
  row('RJ-SNP-28', {
    twin: {
      ...numbered(8, 63, good),
      // Bit 6 is set on genuine Turin parts.
      '8': () => judge({ product: 'Turin', report: { platformInfo: 0x65 } }),
      '9': () => judge({ report: { platformInfo: 0xa5 } }),
    },
    bad: numbered(8, 63, (bit) => judge({ report: { platformInfo: 0x25n | (1n << BigInt(bit)) } })),
  })
})

describe('what was launched', () => {
  const pinned = cpuPolicy({ measurements: [MEASUREMENT] }, {}, { level: 3 })
  const short = cpuDocument({ measurements: [MEASUREMENT.slice(2)] })
  row('RJ-SNP-30', {
    twin: {
      'one bit off': () => judge({}, pinned),
      'another list': () => judge({}, pinned),
      '47 bytes in the policy': () => parsePolicy(JSON.stringify(cpuDocument({ measurements: [MEASUREMENT] }))),
    },
    bad: {
      'one bit off': () => judge({ wrong: 'measurement-one-bit-off' }, pinned),
      'another list': () => judge({}, cpuPolicy({ measurements: ['11'.repeat(48), '22'.repeat(48)] })),
      '47 bytes in the policy': { code: 'POLICY_HEX', check: () => parsePolicy(JSON.stringify(short)) },
    },
  })

  const hostData = hex(cpu().expected.hostData)
  const listed = cpuPolicy({ hostData: [hostData] })
  const bound = cpuPolicy({}, {}, { leaseBinding: 'host-data' })
  const lease = {
    id: 'lease-1',
    provider: 'provider-1',
    teeType: 'cpu',
    gpuCount: undefined,
    gpuModel: undefined,
  } as const
  const leased = (options: AmdMachineOptions) =>
    judged(cpuScene(cpu(options)), { policy: bound, lease: { ...lease, hostData } })
  row('RJ-SNP-31', {
    twin: { 'against the policy': () => judge({}, listed), 'against the lease': () => leased({}) },
    bad: {
      'against the policy': () => judge({ wrong: 'host-data-other' }, listed),
      'against the lease': () => leased({ wrong: 'host-data-other' }),
    },
  })

  const digestOf = (byte: number) => new Uint8Array(48).fill(byte)
  const idKey = cpuPolicy({ idKeyDigests: ['a1'.repeat(48)] })
  const authorKey = cpuPolicy({ authorKeyDigests: ['b2'.repeat(48)] })
  const withIdKey = (byte: number) => judge({ report: { idKeyDigest: digestOf(byte) } }, idKey)
  const authored = (authorKeyEn: boolean, byte: number) =>
    judge({ report: { authorKeyEn, authorKeyDigest: digestOf(byte) } }, authorKey)
  row('RJ-SNP-32', {
    twin: {
      'another ID key': () => withIdKey(0xa1),
      'no ID key': () => withIdKey(0xa1),
      'another author key': () => authored(true, 0xb2),
      'no author key': () => authored(true, 0xb2),
      'an author key without digest': () => authored(true, 0xb2),
      'the right digest without AUTHOR_KEY_EN': () => authored(true, 0xb2),
    },
    bad: {
      'another ID key': () => judge({ wrong: 'id-key-other' }, idKey),
      'no ID key': () => withIdKey(0),
      'another author key': () => authored(true, 0xb3),
      'no author key': () => authored(false, 0),
      'an author key without digest': () => judge({ wrong: 'author-key-without-digest' }, authorKey),
      'the right digest without AUTHOR_KEY_EN': { code: 'SNP_REPORT_MALFORMED', check: () => authored(false, 0xb2) },
    },
  })

  row('RJ-SNP-33', {
    twin: {
      'guest SVN': () => judge({ report: { guestSvn: 7 } }, cpuPolicy({ minGuestSvn: 7 })),
      ABI: () => judge({ report: { policy: 0x30137 } }, cpuPolicy({ minAbi: '1.55' })),
    },
    bad: {
      'guest SVN': () => judge({ report: { guestSvn: 6 } }, cpuPolicy({ minGuestSvn: 7 })),
      ABI: {
        code: 'SNP_ABI_BELOW_MINIMUM',
        check: () => judge({ report: { policy: 0x30136 } }, cpuPolicy({ minAbi: '1.55' })),
      },
    },
  })

  const lists = { measurements: 48, hostData: 32, idKeyDigests: 48, authorKeyDigests: 48, chipIds: 64 }
  const entry = (name: string, pair: string, size: number) =>
    parsePolicy(JSON.stringify(cpuDocument({ [name]: ['a1'.repeat(size), pair.repeat(size)] })))
  row('RJ-SNP-40', {
    twin: Object.fromEntries(Object.entries(lists).map(([name, size]) => [name, () => entry(name, 'b2', size)])),
    bad: Object.fromEntries(Object.entries(lists).map(([name, size]) => [name, () => entry(name, '00', size)])),
  })
})
