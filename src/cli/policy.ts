import { Command } from 'commander'
import { CODES } from '../core/codes.ts'
import { nodeCrypto } from '../core/crypto/node.ts'
import type { Fault, Outcome } from '../core/outcome.ts'
import { explainPolicy, POLICY_SCHEMA, type Policy, policyDigest } from '../policy/index.ts'
import { readPolicy } from './arguments.ts'
import { EXIT } from './exit.ts'
import { faultsForPeople } from './faults.ts'
import { renderExplanation } from './render-policy.ts'
import { bold, green, jsonText, red, safe } from './style.ts'

interface PolicyOptions {
  readonly json?: boolean
}

const digestOf = (policy: Policy): Promise<string> =>
  policyDigest(policy, (bytes) => nodeCrypto.digest('sha256', bytes))

/** `vouchsafe policy check|explain|digest|schema`. A policy that is refused exits 1; a file that cannot be read 2. */
export function policyCommand(): Command {
  const policy = new Command('policy').description('check, explain and name policies').exitOverride()
  policy.addCommand(subcommand('check', 'whether a policy is accepted, and every fault of it if not', check))
  policy.addCommand(subcommand('explain', 'what a policy demands, in sentences, and what it does not stop', explain))
  policy.addCommand(
    subcommand('digest', 'the digest that names what a policy means, over canonical JSON (RFC 8785)', digest),
  )
  const schema = new Command('schema').description('print the JSON Schema (2020-12) of policies').exitOverride()
  policy.addCommand(
    schema.option('--json', 'as it is: the schema is JSON').action(() => {
      process.stdout.write(`${JSON.stringify(POLICY_SCHEMA, null, 2)}\n`)
    }),
  )
  return policy
}

type Action = (policy: Policy, json: boolean) => Promise<string>

function subcommand(name: string, description: string, act: Action): Command {
  return new Command(name)
    .description(description)
    .argument('<policy>', 'a policy file, - for standard input, or a preset: cpu-confidential, h100-confidential')
    .option('--json', 'machine-readable')
    .exitOverride()
    .action(async (source: string, options: PolicyOptions) => {
      const outcome = await readPolicy(source)
      const json = options.json === true
      if (outcome.ok) process.stdout.write(`${await act(outcome.value, json)}\n`)
      else refuse(outcome, source, json)
    })
}

/** The faults are the answer to `check`, so they go where answers go. */
function refuse({ faults }: Extract<Outcome<Policy>, { ok: false }>, source: string, json: boolean): void {
  const count = `${faults.length} ${faults.length === 1 ? 'fault' : 'faults'}`
  const text = json
    ? jsonText({ ok: false, faults: faults.map(withRemedy) })
    : `${red('refused')}  ${bold(safe(source))}: ${count}\n${faultsForPeople(faults)}`
  process.stdout.write(`${text}\n`)
  process.exitCode = EXIT.reject
}

const withRemedy = (f: Fault) => ({ ...f, title: CODES[f.code].title, hint: CODES[f.code].hint })

async function check(policy: Policy, json: boolean): Promise<string> {
  const digest = await digestOf(policy)
  if (json) return jsonText({ ok: true, name: policy.name, version: policy.version, digest })
  return `${green('ok')}  ${bold(safe(policy.name))}  version ${policy.version}  ${digest}`
}

async function explain(policy: Policy, json: boolean): Promise<string> {
  const explanation = explainPolicy(policy)
  const digest = await digestOf(policy)
  return json
    ? jsonText({ name: policy.name, version: policy.version, digest, ...explanation })
    : renderExplanation(policy, digest, explanation)
}

async function digest(policy: Policy, json: boolean): Promise<string> {
  const value = await digestOf(policy)
  return json ? jsonText({ name: policy.name, digest: value }) : value
}
