import { Command } from 'commander'
import type { Outcome } from '../core/outcome.ts'
import { readPrivateFile } from '../files/private-file.ts'
import type { Administration } from '../release/administration.ts'
import type { KeyView } from '../release/key-view.ts'
import { createKekFile } from '../release/vault/index.ts'
import { weightsSecret } from '../release/weights-secret.ts'
import { policyFrom } from './arguments.ts'
import { EXIT } from './exit.ts'
import { UsageError } from './input.ts'
import { type LimitOptions, limitsFrom } from './keys/limits.ts'
import {
  type ApprovalOptions,
  approvalOf,
  isThere,
  makeStore,
  messageOf,
  type PlaceOptions,
  placeOf,
  withKeys,
} from './keys/opened.ts'
import { refused, renderDetails, renderKey, renderRewrapped } from './keys/render.ts'
import { green, jsonText } from './style.ts'

interface Options extends PlaceOptions {
  readonly tenant: string
  readonly json?: boolean
}

const many = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `vouchsafe keys`: registers keys of encrypted weights and administers them. A refusal exits 1, or 3 where something is missing. */
export function keysCommand(): Command {
  const keys = new Command('keys').description('register keys of encrypted weights, and administer them').exitOverride()
  for (const command of [initCommand, registerCommand, limitsCommand, listCommand, showCommand, rotateCommand])
    keys.addCommand(command())
  keys.addCommand(
    changeCommand('suspend', 'release the key to nobody until it is resumed', (a, ...about) => a.suspend(...about)),
  )
  keys.addCommand(
    changeCommand('resume', 'release the key again; takes a second administrator', (a, ...about) => a.resume(...about)),
  )
  keys.addCommand(
    changeCommand('retire', 'release the key to nobody any more, for good', (a, ...about) => a.retire(...about)),
  )
  return keys
}

const placed = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .option('--store <file>', 'SQLite file of the keys; else VOUCHSAFE_KEY_STORE')
    .option('--kek <file>', 'file of the key-encryption keys, mode 0600, outside the database; else VOUCHSAFE_KEK_FILE')
    .option('--json', 'machine-readable')
    .exitOverride()

const ofTenant = (name: string, description: string): Command =>
  placed(name, description).requiredOption('--tenant <name>', 'whose keys')

const approvedBy = (command: Command): Command =>
  command
    .requiredOption('--by <name>', 'the administrator who asks')
    .option('--approved-by <name>', 'another administrator who agreed: needed for whatever opens more than before')

const limited = (command: Command): Command =>
  command
    .requiredOption('--releases <n>', 'how often the key may go out, or unlimited')
    .requiredOption('--window <n/seconds>', 'how often within so many seconds, or unlimited')
    .requiredOption('--leases <n>', 'to how many different leases, or unlimited')
    .requiredOption('--chips <n>', 'to how many different machines, or unlimited')
    .requiredOption('--only-lease <lease>', 'a lease that it may go to, or any; repeatable', many)

function initCommand(): Command {
  return placed('init', 'make an empty key store and a KEK file with one fresh key').action(
    async (options: Options) => {
      const { store, kek } = placeOf(options)
      if (await isThere(kek)) throw new UsageError(`${kek} exists already`)
      await makeStore(store)
      await createKekFile(kek).catch((error: unknown) => {
        throw new UsageError(`${kek}: ${messageOf(error)}`)
      })
      told(
        options,
        { ok: true, store, kek },
        `${green('ok')}  ${store} and ${kek}; keep them, and their backups, apart`,
      )
    },
  )
}

function registerCommand(): Command {
  return approvedBy(limited(ofTenant('register', 'register the key of sealed weights under a policy')))
    .argument('<key-id>', 'names the key within the tenant')
    .requiredOption('--secret <file>', 'JWK set with the master key and the public key of the weights, mode 0600')
    .requiredOption('--policy <policy>', 'the policy that a machine must meet, with keyRelease')
    .action(
      async (
        keyId: string,
        options: Options & LimitOptions & ApprovalOptions & Record<'secret' | 'policy', string>,
      ) => {
        const policy = await policyFrom(options.policy)
        const limits = limitsFrom(options)
        const secret = weightsSecret(await secretFrom(options.secret))
        if (!secret.ok) return refused(secret.faults, options.json === true)
        const about = { tenant: options.tenant, keyId, secret: secret.value, policy, limits }
        const done = await withKeys(options, (a) => a.register(about, approvalOf(options)))
        secret.value.fill(0)
        changed(options, done)
      },
    )
}

/** Only its owner may read it. */
async function secretFrom(path: string): Promise<Uint8Array> {
  try {
    return await readPrivateFile(path)
  } catch (error) {
    throw new UsageError(`${path}: ${messageOf(error)}`)
  }
}

function limitsCommand(): Command {
  return approvedBy(limited(ofTenant('limits', 'set the limits of a key; wider ones take a second administrator')))
    .argument('<key-id>')
    .action(async (keyId: string, options: Options & LimitOptions & ApprovalOptions) => {
      const name = { tenant: options.tenant, keyId }
      const limits = limitsFrom(options)
      changed(options, await withKeys(options, (a) => a.changeLimits(name, limits, approvalOf(options))))
    })
}

type Change = (
  administration: Administration,
  ...about: Parameters<Administration['suspend']>
) => Promise<Outcome<KeyView>>

function changeCommand(name: string, description: string, change: Change): Command {
  return approvedBy(ofTenant(name, description))
    .argument('<key-id>')
    .action(async (keyId: string, options: Options & ApprovalOptions) => {
      const about = { tenant: options.tenant, keyId }
      changed(options, await withKeys(options, (a) => change(a, about, approvalOf(options))))
    })
}

function listCommand(): Command {
  return ofTenant('list', 'the keys of a tenant').action(async (options: Options) => {
    const keys = await withKeys(options, (a) => a.list(options.tenant))
    if (!keys.ok) return refused(keys.faults, options.json === true)
    told(options, { ok: true, keys: keys.value }, keys.value.map(renderKey).join('\n') || 'no keys')
  })
}

function showCommand(): Command {
  return ofTenant('show', 'one key: its limits, its policy, and where it went')
    .argument('<key-id>')
    .action(async (keyId: string, options: Options) => {
      const key = await withKeys(options, (a) => a.show({ tenant: options.tenant, keyId }))
      if (!key.ok) return refused(key.faults, options.json === true)
      told(options, { ok: true, key: key.value }, renderDetails(key.value))
    })
}

function rotateCommand(): Command {
  return approvedBy(ofTenant('rotate-kek', "make a new key-encryption key and put the tenant's keys under it"))
    .option('--keep-kek', 'put the keys under the present one: for further tenants, once one has rotated')
    .addHelpText('after', '\nThe old key-encryption keys stay in the file, for what is still under them.')
    .action(async (options: Options & ApprovalOptions & { readonly keepKek?: boolean }) => {
      const done = await withKeys(options, async (administration, vault) => {
        const rotated = options.keepKek === true ? undefined : await vault.rotate()
        if (rotated?.ok === false) return rotated
        const rewrapped = await administration.rewrapAll(options.tenant, approvalOf(options))
        return rewrapped.ok ? { ok: true as const, value: { kek: vault.currentKek, ...rewrapped.value } } : rewrapped
      })
      if (!done.ok) return refused(done.faults, options.json === true)
      const { kek, rewrapped, left } = done.value
      told(options, { ok: left.length === 0, kek, rewrapped, left }, renderRewrapped(kek, done.value))
      if (left.length > 0) process.exitCode = EXIT.reject
    })
}

function changed(options: Options, done: Outcome<KeyView>): void {
  if (done.ok) told(options, { ok: true, key: done.value }, renderKey(done.value))
  else refused(done.faults, options.json === true)
}

function told({ json }: Pick<Options, 'json'>, value: object, text: string): void {
  process.stdout.write(`${json === true ? jsonText(value) : text}\n`)
}
