/*
 * The gate in a backend such as Akash Console's, told step by step: `npm run example`. Offline; the machines are the test
 * kit's, the marketplace is `chain` below.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BidIdLike, type BidRow, GateError, type Policy, parsePolicy } from '../../src/index.ts'
import { filterBidsByConfidentialHardware } from './bid-filter.ts'
import { type Chain, createLeaseAndSendManifest } from './create-lease.ts'
import { bidOf, orderOf, SDL } from './marketplace.ts'
import { showPosture } from './posture.ts'
import {
  collateralFor,
  gateOptions,
  NOW,
  type Provider,
  providerNamed,
  publishedGate,
  rehearsalGate,
  trustingTheTestKit,
} from './rehearsal.ts'
import { validateRoute } from './validate-route.ts'

const say = (text: string): void => console.log(text)
const step = (text: string): void => console.log(`\n${text}`)

function policyNamed(name: string, preset: string): Policy {
  const parsed = parsePolicy(JSON.stringify({ version: 1, name, extends: preset }))
  if (!parsed.ok) throw new TypeError(parsed.faults[0].code)
  return parsed.value
}

const policy = policyNamed('console-gpu', 'h100-confidential')
const honest = await providerNamed('honest', new Uint8Array(32).fill(1))
const fake = await providerNamed('fake', new Uint8Array(32).fill(2))
const names = new Map([honest, fake].map((provider) => [provider.address, provider.name]))
const collateral = await collateralFor([honest.name, fake.name])

say('THIS IS A REHEARSAL. Evidence comes from the test kit, whose roots nobody should trust.')
const published = publishedGate(gateOptions(collateral))
await published.refresh()
const refused = await showPosture({ gate: published, policy }, honest, 'confidential')
say(`The gate of the package refuses it, roots injected or not: ${refused.findings.map((f) => f.code).join(', ')}.`)
say('What follows runs on a gate that was built from source to trust the kit (rehearsal.ts).')

const options = gateOptions(collateral)
const gate = rehearsalGate(options)
await gate.refresh()

const told = (row: BidRow): void => {
  for (const { code, hint, actual } of row.findings)
    say(
      `  hidden: ${names.get(row.provider ?? '')}  ${code}${actual === undefined ? '' : ` (${actual})`}\n          ${hint}`,
    )
}
const filter = filterBidsByConfidentialHardware(gate, policy, told)
const listBids = (): void => {
  const shown = filter([bidOf(honest.address), bidOf(fake.address)])
  say(`  shown:  ${shown.map(({ bid }) => names.get(bid.id.provider)).join(', ') || 'none'}`)
}
const show = async (provider: Provider, how: 'confidential' | 'debug'): Promise<void> => {
  const { verdict, findings, decision, credential } = await showPosture({ gate, policy }, provider, how)
  say(`  ${provider.name}: ${verdict}${credential === null ? '' : ', with a credential'}`)
  for (const { code, hint } of [...findings, ...(decision?.findings ?? [])]) say(`          ${code}: ${hint}`)
}

const messages: string[] = []
const chain: Chain = {
  createLease: async ({ provider }: BidIdLike) => void messages.push(`MsgCreateLease to ${names.get(provider)}`),
  sendManifest: async ({ provider }: BidIdLike) => void messages.push(`manifest to ${names.get(provider)}`),
}
const lease = async (provider: Provider): Promise<void> => {
  try {
    await createLeaseAndSendManifest(
      { gate, policy, chain },
      { bid: bidOf(provider.address), order: orderOf(), sdl: SDL },
    )
  } catch (error) {
    if (!(error instanceof GateError)) throw error
    say(`  GateError ${error.code}`)
  }
  say(`  sent: ${messages.splice(0).join(', ') || 'nothing'}`)
}

step('1. Two bids for one H100. Both providers advertise tee/type=cpu-gpu; the honest one has shown its machine.')
await show(honest, 'confidential')
listBids()

step('2. The fake provider answers with a guest that its host can read.')
await show(fake, 'debug')
listBids()

step('3. Its bid is chosen all the same, by whoever does not go through the list.')
await lease(fake)

step('4. It does what it is told: launches the guest without debug, and answers a new challenge.')
await show(fake, 'confidential')
listBids()
await lease(fake)

step('5. Before a secret goes out, the machine of the lease itself has to answer. It has not.')
const row = gate.lease(bidOf(fake.address).bid.id, policy)
say(`  ${row.verdict} ${row.findings.map((f) => f.code).join(', ')}`)

step('6. POST /v1/confidential-compute/attestation/validate, in the words of the incumbent.')
const server = createServer(
  validateRoute({
    judge: trustingTheTestKit,
    policies: { cpu: policyNamed('console-cpu', 'cpu-confidential'), gpu: policy },
    now: () => NOW,
    collateral: options.collateral,
    onError: options.onError,
    context: { injectedAnchors: options.injectedAnchors, referenceValues: [], cache: options.cache },
  }),
)
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
const nonce = new Uint8Array(64).fill(7)
const validate = async (asked: Uint8Array): Promise<void> => {
  const body = JSON.stringify({ nonce: Buffer.from(asked).toString('base64'), ...honest.quote(nonce, 'confidential') })
  const answer = await fetch(`http://127.0.0.1:${port}/v1/confidential-compute/attestation/validate`, {
    method: 'POST',
    body,
  })
  const { overall, reports } = (await answer.json()) as {
    overall: string
    reports: { kind: string; status: string; detail: string }[]
  }
  say(`  ${overall}`)
  for (const { kind, status, detail } of reports) say(`    ${kind} ${status}: ${detail}`)
}
await validate(nonce)
await validate(new Uint8Array(64).fill(8))
server.close()
server.closeAllConnections()
