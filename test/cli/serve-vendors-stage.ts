import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect } from 'vitest'
import { toBase64, toHex } from '../../src/core/encodings.ts'
import type { JsonObject } from '../../src/core/json.ts'
import { cocoSnpEvidence, tdxMachine } from '../../src/testing/index.ts'
import { stockOf } from '../collateral/bare.ts'
import type { Mirror } from '../collateral/mirror.ts'
import { WEB_AUTHORITY } from '../collateral/tls.ts'
import { VendorObjects } from '../collateral/vendor-objects.ts'
import { cpuMachineOf } from '../gate/support.ts'
import { intelDocument } from '../reject/intel-stage.ts'
import { referenceValue, SIGNED_BY_TEAM } from '../reject/signer.ts'
import { amdAnchors, cpuDocument, SEED } from '../reject/stage.ts'
import { type Attester, guestKey, KbsClient } from '../service/kbs-client.ts'
import { anchorFromCertificate } from '../support/anchors.ts'
import { scratchFolder, started, vouchsafe } from './run.ts'
import { type Running, running } from './serve-process.ts'
import { trustingKit } from './trusting-kit.ts'

/** No true clock is before the release. */
export const AT = '2026-12-01T00:00:00Z'
const WITHOUT_DATA = new Uint8Array(64)
/** where the fields are (AMD 56860, ATTESTATION_REPORT) */
const SNP_REPORT_CHIP_ID = 0x1a0
const SNP_REPORT_CPUID_MODEL = 0x189
const SECRET = Buffer.from('what must not get out')
const LIMITS = {
  ...{ releases: 'unlimited', window: 'unlimited', leases: 'unlimited', chips: 'unlimited' },
  onlyLeases: ['kbs-guests'],
}

export const snp = (chip: string, reportData: Uint8Array = WITHOUT_DATA) =>
  cpuMachineOf(reportData, { chip, amd: { at: AT } })
const td = (number: number, reportData: Uint8Array = WITHOUT_DATA) =>
  tdxMachine(SEED, { at: AT, tcbEvaluationDataNumber: number, td: { reportData } })

/** Guests that send what was signed and nothing that vouches for it. */
export const bareSnp = (chip: string): Attester => ({
  devices: async () => '',
  cpu: async (reportData) => cocoSnpEvidence(snp(chip, reportData).report, []),
})
/** One that sends its certificates along. */
export const fullSnp = (chip: string): Attester => ({
  devices: async () => '',
  cpu: async (reportData) => {
    const { report, vek, intermediate } = snp(chip, reportData)
    return cocoSnpEvidence(report, [
      { type: 'VCEK', der: vek },
      { type: 'ASK', der: intermediate },
    ])
  },
})
/** A report of a chip of Milan that nobody made, for whoever has a report to begin with. */
export const inventedSnp = (number: number): Attester => ({
  devices: async () => '',
  cpu: async (reportData) => {
    const report = snp('first', reportData).report.slice()
    report.set(new Uint8Array(64).fill(number + 1), SNP_REPORT_CHIP_ID)
    report[SNP_REPORT_CPUID_MODEL] = 0x01
    return cocoSnpEvidence(report, [])
  },
})
export const bareTdx: Attester = {
  devices: async () => '',
  cpu: async (reportData) => ({ quote: toBase64(td(18, reportData).quote) }),
}

const CHIPS = ['first', 'second', 'third'] as const
export const stock = (number: number): VendorObjects => {
  const objects = new VendorObjects()
  for (const chip of CHIPS) stockOf(snp(chip))(objects)
  return objects.intel(td(number).collateral)
}
const BEFORE = trustingKit(
  [...amdAnchors(snp('first')), anchorFromCertificate(td(18).trustedRoot, 'intel/sgx-root')].map((root) => ({
    ...root,
    injected: false,
  })),
  AT,
)

const SNP_MEMBERS = { ...SIGNED_BY_TEAM, keyRelease: { minLevel: 5, ttlSeconds: 120 } }
const SNP_POLICY = cpuDocument({}, SNP_MEMBERS, { level: 5 })
/** The lists of the kit were issued a month ago. */
const RECENT_POLICY = cpuDocument({}, { ...SNP_MEMBERS, collateral: { maxAgeSeconds: 7 * 86_400 } }, { level: 5 })
const { mrTd, rtmr0, rtmr1, rtmr2 } = td(18).expected
const digests = (register: Uint8Array | undefined) => [toHex(register ?? new Uint8Array())]
const TDX_POLICY = intelDocument(
  {
    platform: 'intel/tdx',
    mrTd: digests(mrTd),
    rtmr: { '0': digests(rtmr0), '1': digests(rtmr1), '2': digests(rtmr2) },
  },
  { ...SIGNED_BY_TEAM, acceptRisks: ['open-quote-oracle'], keyRelease: { minLevel: 3, ttlSeconds: 120 } },
  { level: 3 },
)

/** Where everything of one file's tests lies. */
export const folder = scratchFolder()
writeFileSync(join(folder, 'authority.pem'), WEB_AUTHORITY)
writeFileSync(join(folder, 'image.jws'), referenceValue())

/** The mirror in the place of every vendor. */
export const vendorsAt = (mirror: Mirror, more: JsonObject = {}): JsonObject => ({
  cache: 'collateral.db',
  waitSeconds: 20,
  amd: { kds: mirror.url('amd-kds') },
  intel: { pcs: mirror.url('intel-pcs'), certificates: mirror.url('intel-certificates') },
  nvidia: { rim: mirror.url('nvidia-rim'), ocsp: mirror.url('nvidia-ocsp') },
  plainHttp: [],
  authorities: join(folder, 'authority.pem'),
  ...more,
})

export interface Told {
  readonly status: number
  readonly codes: readonly string[]
}

/** A service in a folder of its own, with keys for SNP guests and one for TDs. */
export class Service {
  readonly home: string
  process: Running
  private constructor(home: string, process: Running) {
    this.home = home
    this.process = process
  }

  static async start(name: string, change: JsonObject): Promise<Service> {
    const home = join(folder, name)
    expect((await vouchsafe(['serve', '--init', home, '--tenant', 'acme'])).exit).toBe(0)
    const service = new Service(home, await Service.#run(home, change))
    const policies = { 'weights/snp': SNP_POLICY, 'weights/recent': RECENT_POLICY, 'weights/tdx': TDX_POLICY }
    for (const [key, policy] of Object.entries(policies)) {
      const body = { secret: SECRET.toString('base64'), policy, limits: LIMITS }
      const path = `/v1/tenants/acme/keys/${encodeURIComponent(key)}`
      expect(await service.ask(path, { method: 'PUT', body: JSON.stringify(body) })).toContain('"active"')
    }
    return service
  }

  static #run(home: string, change: JsonObject): Promise<Running> {
    const path = join(home, 'config.json')
    const listen = { host: '127.0.0.1', port: 0 }
    const given = { listen, referenceValues: [join(folder, 'image.jws')], ...change }
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...given }))
    return running(started(['serve', '--config', path], { before: BEFORE }))
  }

  async restart(change: JsonObject): Promise<void> {
    expect((await this.process.end()).exit).toBe(0)
    this.process = await Service.#run(this.home, change)
  }

  async ask(path: string, init: RequestInit = {}): Promise<string> {
    const authorization = `Bearer ${readFileSync(join(this.home, 'administrator.token'), 'utf8').trim()}`
    return (await fetch(`${this.process.address}${path}`, { headers: { authorization }, ...init })).text()
  }

  /** One guest from its first request to the key, or to the refusal. */
  async guest(attester: Attester, tee: 'snp' | 'tdx' = 'snp', key: 'recent' | typeof tee = tee): Promise<Told> {
    const client = new KbsClient(this.process.address, { key: guestKey('P-256'), attester, tee })
    const answer = await client.fetch(`acme/weights/${key}`)
    if (Buffer.isBuffer(answer)) {
      expect(answer.equals(SECRET)).toBe(true)
      return { status: 200, codes: [] }
    }
    const { findings } = answer.body as { findings: { code: string }[] }
    return { status: answer.status, codes: findings.map(({ code }) => code) }
  }

  async lastAudited(): Promise<{ readonly type: string; readonly codes: readonly string[] }> {
    const { rows } = JSON.parse(await this.ask('/v1/tenants/acme/audit')) as { rows: { entry: string }[] }
    return JSON.parse(rows.at(-1)?.entry ?? '{}')
  }
}

/** Breaks a database under whoever uses it, and mends it. */
export function renamed(file: string, from: string, to: string): void {
  const database = new DatabaseSync(file)
  database.exec(`ALTER TABLE ${from} RENAME TO ${to}`)
  database.close()
}

export const RELEASED: Told = { status: 200, codes: [] }
