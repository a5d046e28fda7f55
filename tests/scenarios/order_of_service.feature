Scenario: Whoever waits longest is served first
  Two callers wait while the only agent talks; the older one is next.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Dora calls +49301000
  And 10 seconds pass
  And Emil calls +49301000
  Then Dora waits in Support
  When Carla hangs up
  Then Anna's telephone rings
  When Anna answers
  Then Anna and Dora hear each other
  And Emil waits in Support
