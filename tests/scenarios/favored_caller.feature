Scenario: Good customers are served before others
  Whoever is on the list goes before those who wait already, and a supervisor can let somebody go before all.

  Given a queue Support with the number +49301000
  And callers from +491888* have at least priority 80
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Dora calls +49301000
  And Emil calls +49301000 from +4918881
  And Frida calls +49301000
  And Sam gives Frida the priority 95
  And Carla hangs up
  And Anna answers
  Then Anna and Frida hear each other
  When Frida hangs up
  And Anna answers
  Then Anna and Emil hear each other
  And Dora waits in Support
