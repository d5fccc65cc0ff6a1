import { openrc } from '../service/host/kinds.ts';
import { testService } from '../service/suite.ts';

// OpenRC 0.45, of 2022.
testService(openrc('bookworm'));
