Scenario: A key leads out of the queue
  The customer need not wait: pressing a key leads elsewhere.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And the key 1 leads from Support to Sales
  When Carla calls +49301000
  And Carla presses 5
  Then Carla waits in Support
  When Carla presses 1
  Then Carla waits in Sales
