import { Hono } from 'hono'
import type { Json } from '../../core/json.ts'
import { fault, type Outcome } from '../../core/outcome.ts'
import type { AuditRow, ReleaseStore } from '../../release/index.ts'
import type { Administrators } from '../administrators.ts'
import { faultAnswer, outcomeAnswer } from './answer.ts'

const MOST_ROWS = 1000

export interface AuditApi {
  readonly store: Pick<ReleaseStore, 'auditRows' | 'checkpoints'>
  readonly administrators: Administrators
  /** an entry's inclusion in the log that the newest checkpoint signs for (RFC 6962) */
  readonly prove: (sequence: number) => Promise<Outcome<object>>
}

/**
 * `/v1/tenants/{tenant}/audit`: what the log says of the tenant's own keys, and the proof that an entry is in it. The entries of
 * others are not shown; that they are there, the numbers and the proofs show.
 */
export function auditRoutes({ store, administrators, prove }: AuditApi): Hono {
  const app = new Hono()

  app.get('/', async (request) => {
    const tenant = request.req.param('tenant') ?? ''
    const asked = administrators.of(request.req.header('authorization'), tenant)
    if (!asked.ok) return faultAnswer(request, asked.faults)
    const after = numberIn(request.req.query('after') ?? '0')
    if (after === undefined) return faultAnswer(request, [fault('SERVICE_REQUEST_INVALID', 'after')])
    const rows = await store.auditRows(after, MOST_ROWS)
    const last = rows.at(-1)?.sequence ?? after
    return request.json({ rows: rows.filter((row) => isOf(row, tenant)), next: last } as unknown as Json)
  })

  app.get('/:sequence/proof', async (request) => {
    const tenant = request.req.param('tenant') ?? ''
    const asked = administrators.of(request.req.header('authorization'), tenant)
    if (!asked.ok) return faultAnswer(request, asked.faults)
    const sequence = numberIn(request.req.param('sequence'))
    const [row] = sequence === undefined || sequence === 0 ? [] : await store.auditRows(sequence - 1, 1)
    if (row === undefined || !isOf(row, tenant))
      return faultAnswer(request, [fault('SERVICE_AUDIT_ENTRY_UNKNOWN', 'sequence')])
    return outcomeAnswer(request, await prove(row.sequence), (proof) => ({ row, ...proof }))
  })
  return app
}

const numberIn = (text: string): number | undefined => (/^\d{1,15}$/.test(text) ? Number(text) : undefined)

const isOf = ({ entry }: AuditRow, tenant: string): boolean =>
  (JSON.parse(entry) as { tenant: string }).tenant === tenant
