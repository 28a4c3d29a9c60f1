import { memoryReleaseStore } from '../../src/stores/memory-release.ts'
import { releaseContract } from './release-contract.ts'

releaseContract('memory', async () => {
  const store = memoryReleaseStore()
  return [store, store]
})
