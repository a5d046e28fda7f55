Scenario: A customer who does not answer is called again
  Meanwhile the agent is free. After the last attempt nobody is called any more.

  Given a queue Support with the number +49301000
  And Support calls back 2 times, 300 seconds apart
  And Anna serves Support
  When Sven asks for a callback from Support to +4930777888
  Then Anna's telephone rings
  When Anna answers
  And +4930777888 declines
  Then Anna is ready and idle
  And Support has 1 open callbacks
  When 300 seconds pass
  Then Anna's telephone rings
  When Anna answers
  And +4930777888 declines
  Then Support has 0 open callbacks
  And Anna is ready and idle
