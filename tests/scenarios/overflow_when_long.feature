Scenario: A long queue leads the next caller on
  Who comes when too many wait already is led to another queue.

  Given a queue Support with the number +49301000
  And a queue Sales with the number +49302000
  And Support leads to the queue Sales when 1 wait
  When Carla calls +49301000
  And Dora calls +49301000
  Then Carla waits in Support
  And Dora waits in Sales
