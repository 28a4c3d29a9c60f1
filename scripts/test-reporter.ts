import { appendFileSync } from 'node:fs'
import type { Reporter, TestCase, TestModule } from 'vitest/node'

const SHOWN = 40

/**
 * After the run: which tests were skipped, by name, so that missing evidence cannot look like success; and one plain
 * line with the counts, which `.ci/run` also collects through VOUCHSAFE_TEST_COUNTS.
 */
export default class Summary implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const skipped: string[] = []
    for (const module of modules) {
      const before = counts.failed
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'pending') continue
        counts[state]++
        if (state === 'skipped') skipped.push(nameOf(module, test))
      }
      // A file that could not be loaded, or a hook that failed, leaves no failed test behind.
      if (!module.ok() && counts.failed === before) counts.failed++
    }
    for (const name of skipped.slice(0, SHOWN)) console.log(`skipped: ${name}`)
    if (skipped.length > SHOWN) console.log(`skipped: and ${skipped.length - SHOWN} more`)
    const total = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`
    console.log(`Node ${process.version}`)
    console.log(`tests: ${total}`)
    const file = process.env.VOUCHSAFE_TEST_COUNTS
    if (file !== undefined) appendFileSync(file, `${counts.passed} ${counts.failed} ${counts.skipped}\n`)
  }
}

const nameOf = (module: TestModule, test: TestCase): string => `${module.relativeModuleId} > ${test.fullName}`
