import { afterEach, expect, it } from 'vitest'
import { renderSelftest } from '../../src/cli/selftest/render.ts'
import { selftest } from '../../src/cli/selftest/run.ts'
import { akashCollector } from '../../src/collect/index.ts'
import { CODES, type Code } from '../../src/core/codes.ts'
import { SYMPTOMS } from '../../src/selftest/symptoms.ts'
import { amdMachine } from '../../src/testing/index.ts'
import { type Answer, type Gateway, gateway, IDENTITY, OWNER, PROVIDER, status } from '../collect/gateway.ts'
import { AT, akashQuote, amdAnchors, amdCollateral, cpu, NOW, SEED } from '../reject/stage.ts'
import { settingsFor, sourceOf } from './support.ts'

const open: Gateway[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()))
})

/** Signs what it is asked. */
const answering: Answer = (request, response) => {
  const reportData = new Uint8Array(Buffer.from(JSON.parse(request.body).nonce, 'base64'))
  const quote = akashQuote(amdMachine(SEED, { at: AT, report: { reportData } }), undefined)
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(quote))
}

async function through(answer: Answer) {
  const one = await gateway([answer])
  open.push(one)
  const collection = {
    ...{ endpoint: one.endpoint, provider: PROVIDER, providerCertSha256: IDENTITY.sha256 },
    lease: { owner: OWNER, dseq: '18412345', gseq: 1, oseq: 1 },
    authorisation: { mintToken: () => 'aaaa.bbbb.cccc' },
    deadlineMilliseconds: 30_000,
  }
  const settings = await settingsFor({ collateral: amdCollateral(cpu()), anchors: amdAnchors(cpu()) })
  return selftest(sourceOf({ collectors: [akashCollector(collection, () => NOW)] }), settings)
}

it.each<[string, number, Code]>([
  ['403 on the quote', 403, 'AKASH_SCOPE_DENIED'],
  ['404, no sidecar', 404, 'AKASH_SIDECAR_ABSENT'],
  ['502, the pod is not reached', 502, 'AKASH_SIDECAR_UNREACHABLE'],
])('from red to green: %s', async (_, code, told) => {
  const red = await through(status(code))
  expect(red.outcome).toBe('inconclusive')
  const text = renderSelftest(red).replace(/\s+/g, ' ')
  expect(text).toContain(`${told} ${CODES[told].title}`)
  expect(text).toContain(CODES[told].hint)
  for (const step of SYMPTOMS[told]?.tryInOrder ?? []) expect(text).toContain(step)
  expect((await through(answering)).outcome).toBe('eligible')
})
