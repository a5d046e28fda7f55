Scenario: A customer is called back instead of waiting
  The customer types a number, puts the telephone down and keeps the place in line. The agent who is free takes the callback first and hears the customer's telephone ring.

  Given a queue Support with the number +49301000
  And Anna serves Support
  And Anna takes a break for lunch
  And the key 1 leads from Support to a callback
  When Carla calls +49301000
  And 30 seconds pass
  And Carla presses 1030777888#
  And Carla hears it to the end
  Then Carla has left
  And Support has 1 open callbacks
  And Support counts 1 offered, 0 answered, 0 abandoned, 1 moved on
  When 20 seconds pass
  And Dora calls +49301000
  And Anna becomes ready
  Then Anna's telephone rings
  When Anna answers
  Then Anna hears the ringing tone
  And 030777888's telephone rings
  And Dora waits in Support
  When 030777888 answers
  Then Anna and 030777888 hear each other
  And Support has 0 open callbacks
