import { Hono, type Context as Request } from 'hono'
import { utf8 } from '../../core/bytes.ts'
import { canonicalJson, type Json } from '../../core/json.ts'
import { attempt, type Outcome, take } from '../../core/outcome.ts'
import { parsePolicy } from '../../policy/parse.ts'
import type { Administration, Approval, KeyLimits, KeyName, KeyView, Registration } from '../../release/index.ts'
import type { Administrator, Administrators } from '../administrators.ts'
import { decodedBody } from '../body.ts'
import { faultAnswer, outcomeAnswer } from './answer.ts'
import { RequestMembers } from './request.ts'

/** The second administrator's token, for what opens more than before. */
export const APPROVAL_HEADER = 'vouchsafe-approval'

/** `/v1/tenants/{tenant}/keys`: for the tenant's own administrators. A secret goes in and never comes out here. */
export function keyRoutes(admin: Administration, administrators: Administrators): Hono {
  const app = new Hono()

  /** Who asks, and who else agreed: each by a token of their own. */
  const who = (request: Request, tenant: string): Outcome<Approval> =>
    attempt(() => {
      const second = request.req.header(APPROVAL_HEADER)
      const by: Administrator = take(administrators.of(request.req.header('authorization'), tenant))
      return { by: by.name, approvedBy: second === undefined ? null : take(administrators.of(second, tenant)).name }
    })
  const named = (request: Request): KeyName => ({
    tenant: request.req.param('tenant') ?? '',
    keyId: request.req.param('key') ?? '',
  })
  const changing = async (
    request: Request,
    change: (name: KeyName, approval: Approval) => Promise<Outcome<KeyView>>,
  ): Promise<Response> => {
    const name = named(request)
    const approval = who(request, name.tenant)
    return approval.ok
      ? outcomeAnswer(request, await change(name, approval.value), (view) => view)
      : faultAnswer(request, approval.faults)
  }

  app.get('/', async (request) => {
    const { tenant } = named(request)
    const approval = who(request, tenant)
    if (!approval.ok) return faultAnswer(request, approval.faults)
    return outcomeAnswer(request, await admin.list(tenant), (keys) => ({ keys }))
  })

  app.get('/:key', async (request) => {
    const name = named(request)
    const approval = who(request, name.tenant)
    if (!approval.ok) return faultAnswer(request, approval.faults)
    return outcomeAnswer(request, await admin.show(name), (key) => key)
  })

  app.put('/:key', async (request) => {
    const name = named(request)
    const approval = who(request, name.tenant)
    if (!approval.ok) return faultAnswer(request, approval.faults)
    const given = await decodedBody(request, readRegistration)
    if (!given.ok) return faultAnswer(request, given.faults)
    try {
      const registered = await admin.register({ ...given.value, ...name }, approval.value)
      return outcomeAnswer(request, registered, (view) => view)
    } finally {
      given.value.secret.fill(0)
    }
  })

  app.put('/:key/limits', async (request) => {
    const name = named(request)
    const approval = who(request, name.tenant)
    if (!approval.ok) return faultAnswer(request, approval.faults)
    const limits = await decodedBody(request, readLimits)
    if (!limits.ok) return faultAnswer(request, limits.faults)
    return outcomeAnswer(request, await admin.changeLimits(name, limits.value, approval.value), (view) => view)
  })
  app.post('/:key/suspend', (request) => changing(request, (name, approval) => admin.suspend(name, approval)))
  app.post('/:key/resume', (request) => changing(request, (name, approval) => admin.resume(name, approval)))
  app.post('/:key/retire', (request) => changing(request, (name, approval) => admin.retire(name, approval)))
  return app
}

const readRegistration = (value: Json): Outcome<Omit<Registration, keyof KeyName>> =>
  attempt(() => {
    const members = new RequestMembers(value, ['secret', 'policy', 'limits'])
    const limits = limitsIn(members.members('limits', LIMITS))
    const policy = take(parsePolicy(utf8(canonicalJson(members.value('policy')))))
    return { secret: members.bytes('secret'), policy, limits }
  })

const LIMITS = ['releases', 'window', 'leases', 'chips', 'onlyLeases'] as const satisfies readonly (keyof KeyLimits)[]

/** They stand bare where they are changed. */
const readLimits = (value: Json): Outcome<KeyLimits> => attempt(() => limitsIn(new RequestMembers(value, LIMITS)))

/** Whether each member is a limit, `Administration` says; that each is there and no other, is told here. */
function limitsIn(members: RequestMembers<(typeof LIMITS)[number]>): KeyLimits {
  const read = {
    releases: members.value('releases'),
    window: windowIn(members),
    leases: members.value('leases'),
    chips: members.value('chips'),
    onlyLeases: members.value('onlyLeases'),
  }
  return read as unknown as KeyLimits
}

function windowIn(limits: RequestMembers<'window'>): Json {
  if (limits.value('window') === 'unlimited') return 'unlimited'
  const window = limits.members('window', ['releases', 'seconds'], 'unlimited')
  return { releases: window.value('releases'), seconds: window.value('seconds') }
}
