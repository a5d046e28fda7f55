Scenario: A transfer to a number outside, and what happens when nobody is there
  Should the outside party not answer, the customer is back in the queue, first in line.

  Given a queue Support with the number +49301000
  And Anna serves Support
  When Carla calls +49301000
  And Anna answers
  And Anna transfers to the number +4940555
  Then +4940555's telephone rings
  When 30 seconds pass
  Then Carla waits in Support
  And Anna's telephone rings
  When Anna answers
  And Anna transfers to the number +4940666
  And +4940666 answers
  Then Carla and +4940666 hear each other
  When +4940666 hangs up
  Then Carla has left
