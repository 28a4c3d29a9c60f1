import { stat } from 'node:fs/promises'
import { Command } from 'commander'
import { type DoctorOptions, examineHost, GPU_LIMITS, type GpuLimits } from '../collect/index.ts'
import { CODES } from '../core/codes.ts'
import { policyFrom } from './arguments.ts'
import { BUILT_AT } from './build.ts'
import { renderReport } from './doctor/render.ts'
import { EXIT } from './exit.ts'
import { UsageError } from './input.ts'
import { jsonText } from './style.ts'

interface Options {
  readonly root: string
  readonly offline?: boolean
  readonly kubeconfig?: string
  readonly nvml?: string
  readonly policy?: string
  readonly json?: boolean
}

/** `vouchsafe doctor`: the machine itself, without evidence. */
export function doctorCommand(): Command {
  return new Command('doctor')
    .description('look at this machine: what it could prove to a tenant, and what stands in the way')
    .option('--root <folder>', 'look at the file system below this folder', '/')
    .option('--kubeconfig <file>', 'look at labels, runtime classes and webhooks of the cluster too')
    .option('--policy <policy>', 'take the limits of driver and VBIOS from this policy file or preset')
    .option('--nvml <file>', 'the NVIDIA management library, where it is not in the places of the system')
    .option('--offline', 'ask no vendor whether it can be reached')
    .option('--json', 'machine-readable')
    .addHelpText(
      'after',
      '\nExit codes: 0 ready · 1 tenants would refuse it · 2 usage · 3 something is missing or not known',
    )
    .exitOverride()
    .action(async (options: Options) => {
      // tpm2-tss would repeat on stderr what the findings say.
      process.env.TSS2_LOG ??= 'all+none'
      // A mistyped root would look like a machine that has nothing.
      if (!(await isFolder(options.root))) throw new UsageError(`--root ${options.root}: no such folder`)
      const asked: DoctorOptions = {
        root: options.root,
        now: Math.floor(Date.now() / 1000),
        builtAt: BUILT_AT,
        offline: options.offline === true,
        kubeconfig: options.kubeconfig,
        nvml: options.nvml,
        limits: options.policy === undefined ? GPU_LIMITS : await limitsOf(options.policy),
      }
      const report = await examineHost(asked)
      process.stdout.write(`${options.json === true ? jsonText(withRemedies(report)) : renderReport(report)}\n`)
      process.exitCode = report.verdict === 'ok' ? EXIT.ok : EXIT[report.verdict]
    })
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )

async function limitsOf(source: string): Promise<GpuLimits> {
  const { gpu } = (await policyFrom(source)).require
  if (gpu === 'none' || gpu === 'any') return { minDriver: '0', denyDrivers: [], denyVbios: [] }
  const listed = (list: 'none' | readonly string[]) => (list === 'none' ? [] : list)
  return { minDriver: gpu.minDriver, denyDrivers: listed(gpu.denyDrivers), denyVbios: listed(gpu.denyVbios) }
}

function withRemedies({ role, verdict, checks }: Awaited<ReturnType<typeof examineHost>>) {
  return {
    ...{ format: 'vouchsafe/doctor/1', role, verdict },
    checks: checks.map((check) => {
      if (check.state !== 'wrong') return check
      const { verdict: weight, title, hint } = CODES[check.fault.code]
      return { id: check.id, state: check.state, finding: { ...check.fault, verdict: weight, title, hint } }
    }),
  }
}
