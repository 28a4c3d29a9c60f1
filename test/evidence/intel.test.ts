import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CODES, type Code } from '../../src/core/codes.ts'
import { parseRfc3339 } from '../../src/core/time.ts'
import {
  createVerificationCache,
  type Decision,
  type EvidenceFile,
  NO_COLLATERAL,
  parsePolicy,
  type TrustAnchor,
  verify,
} from '../../src/index.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { describeEvidence, evidence, evidenceJson, evidencePath, hasEvidence } from '../support/evidence.ts'

interface Row {
  readonly id: string
  readonly area: string
  readonly path: string
  readonly expect: 'accept' | 'reject' | 'reject-by-policy' | 'parse' | 'sample' | 'data' | 'see-case'
  readonly status?: string
  readonly advisoryIds?: readonly string[]
}

interface Case {
  readonly verificationTime?: number | string
  readonly rootCa?: string
  readonly files?: Readonly<Record<string, string>>
}

/** Cases without a time of their own have no collateral; PCK certificates live for seven years. */
const WITHOUT_TIME = '2026-06-01T00:00:00Z'

const NOTES = new Set(['case.json', 'expected.json', 'verified.json', 'decoded.json', 'attestation.yaml'])

const filesOf = (path: string): EvidenceFile[] =>
  readdirSync(evidencePath(path))
    .filter((name) => !NOTES.has(name))
    .sort()
    .map((name) => ({ name, bytes: evidence(`${path}/${name}`) }))

function aboutOf(path: string): Case {
  const name = ['case.json', 'expected.json'].find((file) => hasEvidence(`${path}/${file}`))
  return name === undefined ? {} : evidenceJson<Case>(`${path}/${name}`)
}

function timeOf({ verificationTime: at }: Case): number {
  if (typeof at === 'number') return at
  const seconds = parseRfc3339((at ?? WITHOUT_TIME).replace('.000Z', 'Z'))
  if (seconds === undefined) throw new TypeError(`verificationTime ${at}`)
  return seconds
}

const anchorsOf = (path: string, { rootCa }: Case): TrustAnchor[] =>
  rootCa === undefined ? [] : [anchorFromCertificate(evidence(`${path}/${rootCa}`), 'intel/sgx-root')]

/** Every status that a tenant may accept, so that only what no tenant should refuses. */
const WIDEST = (platform: string) => ({
  version: 1,
  name: 'widest',
  profile: 'development',
  require: {
    level: 1,
    cpu: {
      any: [
        {
          platform,
          tcbStatus: [
            ...['UpToDate', 'SWHardeningNeeded', 'ConfigurationNeeded', 'ConfigurationAndSWHardeningNeeded'],
            ...['OutOfDate', 'OutOfDateConfigurationNeeded', 'TDRelaunchAdvised'],
            'TDRelaunchAdvisedConfigurationNeeded',
          ],
        },
      ],
    },
    gpu: 'any',
  },
  freshness: { maxAgeSeconds: 120 },
})

function judged(path: string, files: readonly EvidenceFile[], platform?: string): Promise<Decision> {
  const about = aboutOf(path)
  const policy = platform === undefined ? undefined : parsePolicy(JSON.stringify(WIDEST(platform)))
  if (policy?.ok === false) throw new TypeError(JSON.stringify(policy.faults))
  return verify(files, {
    now: timeOf(about),
    policy: policy?.value ?? null,
    freshness: { kind: 'notChecked', because: 'the cases state no nonce' },
    collateral: NO_COLLATERAL,
    lease: null,
    physical: 'unknown',
    referenceValues: [],
    injectedAnchors: anchorsOf(path, about),
    cache: createVerificationCache(),
  })
}

const codesOf = (decision: Decision): Code[] => [...new Set(decision.findings.map((f) => f.code))].sort()
const told = (decision: Decision) =>
  decision.findings.map((f) => `${f.item} ${f.code} ${f.path} ${f.actual ?? ''}`).join('\n')
const tcbOf = (decision: Decision) => {
  const claims = decision.items[0]?.claims
  return claims?.kind === 'intel/tdx-quote' || claims?.kind === 'intel/sgx-quote' ? claims.tcb : undefined
}

/** What is told where Intel's documents about the platform are not there; nothing of it is ever a pass. */
const WANTING: readonly Code[] = [
  ...(['TDX_TCB_INFO_MISSING', 'TDX_QE_IDENTITY_MISSING', 'SGX_TCB_INFO_MISSING', 'SGX_QE_IDENTITY_MISSING'] as const),
]

/** Refused cases that an answer of Intel's may still mend: what was not given, is out of date, or is another CA's. */
const LACKING: readonly string[] = [
  ...['SGX_PCK_CERT_MISSING', 'CRL_MISSING', 'CRL_STALE', 'COLLATERAL_EXPIRED', 'COLLATERAL_NOT_YET_VALID'],
]

/** Where we do not follow the index: what we answer, and why. Each is judged again without what we object to. */
interface Overruled {
  readonly code: Code
  readonly because: string
  /** what is told where the evidence lacks what we object to */
  readonly mended?: { readonly code: Code; change(file: EvidenceFile): EvidenceFile }
}

const OVERRULED: Readonly<Record<string, Overruled>> = {
  'tdx-v4-gotdx-spr-e4-outofdate': {
    code: 'TDX_TRAILING_BYTES',
    because: 'ends in 39 bytes of text behind the quote; only zeros are padding (RJ-TDX-02)',
    mended: {
      code: 'TDX_TCB_NO_LEVEL',
      change: (file) => (file.name === 'quote.bin' ? { ...file, bytes: file.bytes.subarray(0, -39) } : file),
    },
  },
  'tdx-v4-oasis-outofdate': {
    code: 'TDX_TCB_NO_LEVEL',
    because: "its PCK components are below every level of its TCB info: Intel's library knows no status for it",
  },
  qe_report_data_tail_nonzero: {
    code: 'TDX_QE_BINDING_INVALID',
    because: 'the upper half of the REPORT_DATA of a quoting enclave is zero in every real quote (RJ-TDX-11)',
  },
}

describeEvidence('intel', () => {
  const rows = evidenceJson<Row[]>('index.json').filter((r) => r.area === 'intel')

  it('holds real, derived and synthetic cases', () => {
    for (const part of ['intel/derived-', 'intel/synthetic/', 'intel/tdx-', 'intel/sgx-', 'intel/eventlog-'])
      expect(rows.filter((r) => r.path.startsWith(part)).length, part).toBeGreaterThan(2)
    expect(Object.keys(OVERRULED).filter((id) => !rows.some((r) => r.id === id))).toEqual([])
  })

  describe.each(rows)('$path', (row) => {
    const overruled = OVERRULED[row.id]
    if (overruled !== undefined) {
      it(`is refused all the same: ${overruled.because}`, async () => {
        const decision = await judged(row.path, filesOf(row.path))
        expect(codesOf(decision), told(decision)).toEqual([overruled.code])
        expect(CODES[overruled.code].verdict).toBe('reject')
        const { mended } = overruled
        if (mended === undefined) return
        expect(codesOf(await judged(row.path, filesOf(row.path).map(mended.change)))).toEqual([mended.code])
      })
    } else if (row.expect === 'accept') {
      it(`is authentic${row.status === undefined ? '' : `: ${row.status}`}`, async () => {
        const decision = await judged(row.path, filesOf(row.path))
        const tcb = tcbOf(decision)
        const wanting = tcb === undefined ? codesOf(decision).filter((c) => WANTING.includes(c)) : []
        expect(codesOf(decision), told(decision)).toEqual(['POLICY_MISSING', ...wanting].sort())
        expect(decision.items[0]?.claims).toBeDefined()
        if (row.status !== undefined) expect(tcb?.status).toBe(row.status)
        if (row.status !== undefined && row.advisoryIds !== undefined)
          expect(tcb?.advisoryIds).toEqual([...row.advisoryIds].sort())
        if (row.path.includes('eventlog-')) {
          const claims = decision.items[0]?.claims
          const log = claims?.kind === 'intel/tdx-quote' ? claims.eventLog : undefined
          expect(log?.registers.map((r) => r.matches)).toEqual([true, true, true, true])
        }
      })
    } else {
      // Without Intel's answer a quote is not refused for ever: asked again with one it may be accepted. It opens nothing.
      it('is not accepted, whatever the tenant allows', async () => {
        const files = filesOf(row.path)
        const alone = await judged(row.path, files)
        expect(alone.verdict, told(alone)).not.toBe('accept')
        const platform = alone.items[0]?.kind === 'intel/sgx-quote' ? 'intel/sgx' : 'intel/tdx'
        const under = await judged(row.path, files, platform)
        const own = codesOf(under).filter((code) => code !== 'BIND_NOT_CHECKED')
        expect(own.length, told(under)).toBeGreaterThan(0)
        expect(own).not.toContain('POLICY_KIND_NOT_COVERED')
        if (own.every((code) => CODES[code].verdict === 'inconclusive')) expect(LACKING).toContain(own.join(' '))
      })
    }
  })
})
