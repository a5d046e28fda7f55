Scenario: Who waits too long for one queue is served by another
  After a minute the customer is led to the sales queue, exactly then, even while a telephone rings.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Support leads to the queue Sales after 60 seconds
  And Bert serves Sales
  When Carla calls +49301000
  And 59 seconds pass
  Then Carla waits in Support
  When 1 seconds pass
  Then Carla waits in Sales
  And Bert's telephone rings
  And Support counts 1 offered, 0 answered, 0 abandoned, 1 moved on
