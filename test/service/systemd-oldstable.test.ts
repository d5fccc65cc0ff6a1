import { systemd } from './host/kinds.ts';
import { testService } from './suite.ts';

testService(systemd('bookworm'));
