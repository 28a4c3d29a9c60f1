import { createHash, generateKeyPairSync } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { type ServerType, serve } from '@hono/node-server'
import { onTestFinished } from 'vitest'
import { fail, ok } from '../../src/core/outcome.ts'
import { Administrators } from '../../src/service/administrators.ts'
import { createService, type ServiceOptions } from '../../src/service/app.ts'
import type { LogLine } from '../../src/service/log.ts'
import { cocoSnpEvidence } from '../../src/testing/index.ts'
import { cpuMachineOf, type Shown } from '../gate/support.ts'
import { TENANT, type TestBroker } from '../release/support.ts'
import type { Attester } from './kbs-client.ts'

export const TOKENS = { alice: 'token-of-alice', bob: 'token-of-bob', eve: 'token-of-eve', market: 'token-of-market' }
export const sha256Hex = (text: string): string => createHash('sha256').update(text).digest('hex')

export const ADMINISTRATORS = new Administrators([
  { name: 'alice', tenant: TENANT, tokenSha256: sha256Hex(TOKENS.alice) },
  { name: 'bob', tenant: TENANT, tokenSha256: sha256Hex(TOKENS.bob) },
  { name: 'eve', tenant: 'other', tokenSha256: sha256Hex(TOKENS.eve) },
  { name: 'market', tenant: '*', tokenSha256: sha256Hex(TOKENS.market) },
])

const pair = generateKeyPairSync('ed25519')

export interface TestService {
  readonly base: string
  readonly lines: LogLine[]
}

/** A broker behind a real server on loopback. */
export async function serviceOver(t: TestBroker, more: Partial<ServiceOptions> = {}): Promise<TestService> {
  const lines: LogLine[] = []
  const app = createService({
    gate: t.gate.gate,
    broker: t.broker,
    administration: t.admin,
    store: t.store,
    administrators: ADMINISTRATORS,
    key: { kid: 'service-1', algorithm: 'EdDSA', ...pair },
    issuer: 'https://vouchsafe.example',
    kbs: { workload: 'inference', sessionSeconds: 300 },
    isTls: false,
    clock: t.gate.now,
    rateLimit: { burst: 1000, perSecond: 1000 },
    clientOf: () => 'test',
    log: (line) => lines.push(line),
    version: '0.0.0',
    isReady: async () => ok(undefined),
    metrics: () => '',
    proveEntry: async () => fail('SERVICE_AUDIT_ENTRY_UNKNOWN', 'sequence'),
    ...more,
  })
  const server = await new Promise<ServerType>((resolve) => {
    const started = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve(started))
  })
  onTestFinished(() => new Promise((resolve) => server.close(() => resolve())))
  return { base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, lines }
}

/** A guest on a healthy SNP machine, as the crate `sev` tells of its report. */
export const snpGuest = (shown: Shown = {}): Attester => ({
  devices: async () => '',
  cpu: async (reportData) => {
    const { report, vek, intermediate } = cpuMachineOf(reportData, shown)
    return cocoSnpEvidence(report, [
      { type: 'VCEK', der: vek },
      { type: 'ASK', der: intermediate },
    ])
  },
})
