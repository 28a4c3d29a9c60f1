import { digest } from '../pki/pss.ts'
import { type FaultTable, faultTable, inReport, type MachinePlan, moved, otherProduct } from './plan.ts'
import { type AmdTcb, PRODUCTS, tcbVersion } from './products.ts'
import { type BytePatch, TEST_MEASUREMENT } from './report.ts'
import type { SnpSignature } from './signature.ts'

const at = (offset: number, ...bytes: number[]): readonly BytePatch[] => [{ offset, bytes }]
const patched = (offset: number, ...bytes: number[]) => inReport({ patch: at(offset, ...bytes) })
const signature = (kind: SnpSignature) => inReport({ signature: kind })
const other = (text: string): Uint8Array => digest('sha512', new TextEncoder().encode(`another ${text}`))

const reserved = (offset: number, needs?: { report: { version: number } }) => ({
  what: `reserved byte 0x${offset.toString(16)} set, correctly signed`,
  stage: 'decode' as const,
  rows: ['RJ-SNP-04'],
  ...(needs === undefined ? {} : { needs }),
  bend: patched(offset, 1),
})

const version = (value: number) => ({
  what: `report version ${value}`,
  stage: 'decode' as const,
  rows: ['RJ-SNP-03'],
  bend: patched(0, value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24),
})

const vmpl = (value: number) => ({
  what: `report for VMPL ${value}`,
  stage: value > 3 ? ('decode' as const) : ('appraisal' as const),
  rows: ['RJ-SNP-20'],
  bend: inReport({ vmpl: value }),
})

const badSignature = (kind: SnpSignature, what: string, row: string, stage: 'decode' | 'signature') => ({
  what,
  stage,
  rows: [row],
  ...(kind.endsWith('-plus-n') ? { needs: { vekKey: 'chosen' as const } } : {}),
  bend: signature(kind),
})

const oneLower = (component: keyof AmdTcb) => ({
  what: `${component} of all TCBs and of the certificate one below the usual`,
  stage: 'appraisal' as const,
  rows: ['RJ-SNP-15'],
  ...(component === 'fmc' ? { needs: { product: 'Turin' as const } } : {}),
  bend: (plan: MachinePlan) => ({ tcb: moved(plan.tcb, component, -1) }),
})

/** A TCB with a reserved byte set: byte 4 belongs to no component of any product. */
function strayTcb({ product, tcb }: MachinePlan): Uint8Array {
  return tcbVersion(product, tcb).map((byte, i) => (i === 4 ? 1 : byte))
}

/** Faults in the bytes of the report, whatever the certificates say. */
export const REPORT_FAULTS = faultTable({
  'report-truncated': {
    what: 'the last byte of the report is missing',
    stage: 'decode',
    rows: ['RJ-SNP-01'],
    bend: inReport({ truncate: 1183 }),
  },
  'report-trailing-byte': {
    what: 'a byte after the report',
    stage: 'decode',
    rows: ['RJ-SNP-02'],
    bend: inReport({ append: Uint8Array.of(0) }),
  },
  'version-0': version(0),
  'version-1': version(1),
  'version-6': version(6),
  'version-max': version(0xffffffff),
  'mbz-4c': reserved(0x4c),
  'mbz-18b': reserved(0x18b),
  'mbz-1eb': reserved(0x1eb),
  'mbz-1ef': reserved(0x1ef),
  'mbz-208': reserved(0x208),
  'mbz-29f': reserved(0x29f),
  'mbz-v2-cpuid': reserved(0x188, { report: { version: 2 } }),
  'mbz-v3-mitvector': reserved(0x1f8, { report: { version: 3 } }),
  'keyinfo-bit5': { ...reserved(0x48), what: 'reserved bit 5 of the key information set', bend: patched(0x48, 0x20) },
  'tcb-reserved-byte': {
    what: 'a byte of the TCB versions that belongs to no component is set',
    stage: 'decode',
    rows: ['RJ-SNP-04'],
    bend: inReport((plan) => ({
      currentTcb: strayTcb(plan),
      committedTcb: strayTcb(plan),
      reportedTcb: strayTcb(plan),
      launchTcb: strayTcb(plan),
    })),
  },
  'sigalgo-0': {
    what: 'signature algorithm 0',
    stage: 'decode',
    rows: ['RJ-SNP-05'],
    bend: inReport({ signatureAlgo: 0 }),
  },
  'sigalgo-2': {
    what: 'signature algorithm 2',
    stage: 'decode',
    rows: ['RJ-SNP-05'],
    bend: inReport({ signatureAlgo: 2 }),
  },
  'signer-none': {
    what: 'signing key NONE and a zero signature',
    stage: 'decode',
    rows: ['RJ-SNP-10'],
    bend: inReport({ signingKey: 7, signature: 'zero' }),
  },
  'signer-reserved-2': {
    what: 'signing key 2, a reserved value',
    stage: 'decode',
    rows: ['RJ-SNP-10'],
    bend: inReport({ signingKey: 2 }),
  },
  'policy-mbo17-clear': {
    what: 'guest policy without bit 17, which must be one',
    stage: 'decode',
    rows: ['RJ-SNP-27'],
    bend: inReport({ policy: 0x10000 }),
  },
  'policy-bit26': {
    what: 'reserved bit 26 of the guest policy set',
    stage: 'decode',
    rows: ['RJ-SNP-27'],
    bend: inReport({ policy: 0x4030000 }),
  },
  'vmpl-host': {
    what: 'report requested by the host (VMPL 0xFFFFFFFF) with the right report data',
    stage: 'decode',
    rows: ['RJ-SNP-37'],
    bend: inReport({ vmpl: 0xffffffff }),
  },
  'vmpl-1': vmpl(1),
  'vmpl-2': vmpl(2),
  'vmpl-3': vmpl(3),
  'vmpl-4': vmpl(4),

  'sig-r-high-byte': badSignature('r-high-byte', 'a byte above the low 48 of r', 'RJ-SNP-06', 'decode'),
  'sig-s-high-byte': badSignature('s-high-byte', 'a byte above the low 48 of s', 'RJ-SNP-06', 'decode'),
  'sig-tail-nonzero': badSignature('tail-byte', 'a byte behind r and s', 'RJ-SNP-07', 'decode'),
  'sig-r-zero': badSignature('r-zero', 'r is 0', 'RJ-SNP-08', 'signature'),
  'sig-s-zero': badSignature('s-zero', 's is 0', 'RJ-SNP-08', 'signature'),
  'sig-r-is-n': badSignature('r-is-n', 'r is the order of the curve', 'RJ-SNP-08', 'signature'),
  'sig-s-is-n': badSignature('s-is-n', 's is the order of the curve', 'RJ-SNP-08', 'signature'),
  'sig-r-plus-n': badSignature('r-plus-n', 'r plus the order, in 48 bytes', 'RJ-SNP-08', 'signature'),
  'sig-s-plus-n': badSignature('s-plus-n', 's plus the order, in 48 bytes', 'RJ-SNP-08', 'signature'),
  'sig-zero': badSignature('zero', 'no signature although a signing key is named', 'RJ-SNP-08', 'signature'),
  'sig-be': badSignature('big-endian', 'r and s in the wrong byte order', 'RJ-SNP-09', 'signature'),
  'report-byte-flip': {
    what: 'one bit of the measurement flipped after signing',
    stage: 'signature',
    rows: ['RJ-SNP-09'],
    bend: inReport((plan) => ({
      tamper: at(0x90, ((plan.report.measurement ?? TEST_MEASUREMENT)[0] ?? 0) ^ 1),
    })),
  },
  'signed-by-other-key': {
    what: 'signed by a key that is not the certificate’s',
    stage: 'signature',
    rows: ['RJ-SNP-09'],
    bend: () => ({ reportSigner: 'other' }),
  },

  'platforminfo-unknown-bit8': {
    what: 'unknown bit 8 of the platform information set',
    stage: 'decode',
    rows: ['RJ-SNP-28'],
    bend: inReport({ platformInfo: 0x125 }),
  },
  'platforminfo-alias-clear': {
    what: 'memory alias check not completed',
    stage: 'appraisal',
    rows: ['RJ-SNP-21'],
    bend: inReport({ platformInfo: 0x05 }),
  },
  'product-mismatch-fms': {
    what: 'CPUID of another product than the certificates',
    stage: 'match',
    rows: ['RJ-SNP-26'],
    bend: inReport(({ product }) => {
      const [cpuidFamId, cpuidModId, cpuidStep] = PRODUCTS[otherProduct(product)].cpuid
      return { cpuidFamId, cpuidModId, cpuidStep }
    }),
  },
  'product-unknown-fms': {
    what: 'unknown CPU family 0x1b',
    stage: 'match',
    rows: ['RJ-SNP-26'],
    bend: inReport({ cpuidFamId: 0x1b }),
  },
  'product-venice': {
    what: 'CPUID of Venice, whose TCB layout is not published',
    stage: 'match',
    rows: ['RJ-SNP-26'],
    bend: inReport({ cpuidFamId: 0x1a, cpuidModId: 0x50 }),
  },
  'policy-debug': {
    what: 'guest policy allows debugging',
    stage: 'appraisal',
    rows: ['RJ-SNP-17'],
    bend: inReport({ policy: 0xb0000 }),
  },
  'policy-migrate-ma': {
    what: 'guest policy allows a migration agent',
    stage: 'appraisal',
    rows: ['RJ-SNP-18'],
    bend: inReport({ policy: 0x70000 }),
  },
  'smt-forbidden-but-enabled': {
    what: 'guest policy forbids SMT, platform says it is on',
    stage: 'appraisal',
    rows: ['RJ-SNP-19'],
    bend: inReport({ policy: 0x20000 }),
  },
  'maskchipkey-nonzero-chip': {
    what: 'MASK_CHIP_KEY set, yet signed and with a chip id',
    stage: 'appraisal',
    rows: ['RJ-SNP-24'],
    bend: inReport({ maskChipKey: true }),
  },
  'vcek-chipid-zero': {
    what: 'chip id masked',
    stage: 'appraisal',
    rows: ['RJ-SNP-24'],
    needs: { kind: 'VCEK' },
    bend: inReport({ chipId: new Uint8Array(64) }),
  },
  'mitigation-bit-clear': {
    what: 'mitigation bit 0 missing from the current vector',
    stage: 'appraisal',
    rows: ['RJ-SNP-35'],
    needs: { report: { version: 5 } },
    bend: inReport(({ product }) => ({ currentMitVector: PRODUCTS[product].mitVector & ~1 })),
  },
  'author-key-without-digest': {
    what: 'AUTHOR_KEY_EN set, author key digest zero',
    stage: 'appraisal',
    rows: ['RJ-SNP-32'],
    bend: inReport({ authorKeyEn: true }),
  },
  'id-key-other': {
    what: 'launched under an unknown ID key',
    stage: 'appraisal',
    rows: ['RJ-SNP-32'],
    bend: inReport({ idKeyDigest: other('id key').subarray(0, 48) }),
  },
  'measurement-one-bit-off': {
    what: 'launch digest with one bit changed',
    stage: 'appraisal',
    rows: ['RJ-SNP-30'],
    bend: inReport({ measurement: TEST_MEASUREMENT.map((b, i) => (i === 47 ? b ^ 1 : b)) }),
  },
  'host-data-other': {
    what: 'HOST_DATA of another lease',
    stage: 'appraisal',
    rows: ['RJ-SNP-31'],
    bend: inReport({ hostData: other('lease').subarray(0, 32) }),
  },
  'report-data-other': {
    what: 'report data of another challenge',
    stage: 'appraisal',
    rows: ['RJ-BIND-01'],
    bend: inReport({ reportData: other('challenge') }),
  },

  'tcb-below-floor-bl': oneLower('bl'),
  'tcb-below-floor-tee': oneLower('tee'),
  'tcb-below-floor-snp': oneLower('snp'),
  'tcb-below-floor-ucode': oneLower('ucode'),
  'tcb-below-floor-fmc': oneLower('fmc'),
  'tcb-below-advisory': {
    what: 'microcode and SNP firmware below the EntrySign fix (AMD-SB-3019), certificate for the same TCB',
    stage: 'appraisal',
    rows: ['RJ-SNP-16'],
    bend: ({ product, tcb }) => ({ tcb: { ...tcb, ...BEFORE_ENTRYSIGN[product] } }),
  },
  'committed-above-current': {
    what: 'committed TCB above the current one',
    stage: 'appraisal',
    rows: [],
    bend: inReport(({ tcb }) => ({ committedTcb: moved(tcb, 'snp', 1) })),
  },
  'reported-above-current': {
    what: 'reported TCB above the current one',
    stage: 'appraisal',
    rows: [],
    bend: inReport(({ tcb }) => {
      const lower = moved(tcb, 'snp', -1)
      return { currentTcb: lower, committedTcb: lower, launchTcb: lower }
    }),
  },
  'provisional-firmware': {
    what: 'committed TCB below the current one',
    stage: 'appraisal',
    rows: ['RJ-SNP-14'],
    bend: inReport(({ tcb }) => ({ currentTcb: moved(tcb, 'snp', 1) })),
  },
  'launch-tcb-low': {
    what: 'guest launched on older firmware',
    stage: 'appraisal',
    rows: ['RJ-SNP-34'],
    bend: inReport(({ tcb }) => ({ launchTcb: moved(tcb, 'snp', -1) })),
  },
})

const BEFORE_ENTRYSIGN = {
  Milan: { snp: 0x17, ucode: 0xda },
  Genoa: { snp: 0x16, ucode: 0x53 },
  Turin: { snp: 3, ucode: 0x46 },
} as const

export type ReportFault = typeof REPORT_FAULTS extends FaultTable<infer Name> ? Name : never
